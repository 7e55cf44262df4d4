// @ts-check
import { describe, expect, it, vi } from "vitest";
import { arrange, arrowStep, createTimer, gridTarget, keepPlainKeys, make } from "../../astria_nb/utils/dom.js";

const EVIL = '<img src=x onerror="alert(1)">';

describe("make", () => {
  it("shows markup as text", () => {
    const element = make("p", { textContent: EVIL });
    expect(make("div", {}, element, EVIL).querySelector("img")).toBeNull();
    expect(element.textContent).toBe(EVIL);
  });

  it("sets properties and attributes", () => {
    const input = make("input", { type: "search", tabIndex: -1, attributes: { "aria-label": "Search" } });
    expect([input.type, input.tabIndex, input.getAttribute("aria-label")]).toEqual(["search", -1, "Search"]);
  });
});

describe("gridTarget, in 8 places of 3 columns", () => {
  it.each([
    ["ArrowRight", 0, 1],
    ["ArrowRight", 7, 7],
    ["ArrowLeft", 0, 0],
    ["ArrowDown", 1, 4],
    ["ArrowDown", 5, 7], // the last row is short
    ["ArrowDown", 6, 6],
    ["ArrowUp", 4, 1],
    ["ArrowUp", 2, -1], // above the first row
    ["Home", 5, 0],
    ["End", 1, 7],
    ["a", 1, undefined],
  ])("%s from %i leads to %s", (key, index, target) => {
    expect(gridTarget(key, index, 8, 3)).toBe(target);
  });
});

it("arrow keys step back and forth", () => {
  expect(["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown", "Enter"].map(arrowStep)).toEqual([-1, -1, 1, 1, 0]);
});

it("plain keys stay in the widget, and shortcuts reach the notebook", () => {
  const root = make("div", {}, make("input"));
  keepPlainKeys(root);
  document.body.append(root);
  const notebook = vi.fn();
  document.body.addEventListener("keydown", notebook);
  const type = (/** @type {KeyboardEventInit} */ init) =>
    root.firstElementChild?.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...init }));
  type({ key: "x" });
  expect(notebook).not.toHaveBeenCalled();
  type({ key: "s", ctrlKey: true });
  expect(notebook).toHaveBeenCalledOnce();
});

it("putting elements in order moves only those that stand elsewhere", () => {
  const items = ["a", "b", "c", "d"].map((textContent) => make("li", { textContent }));
  const list = make("ol", {}, ...items);
  const insert = vi.spyOn(list, "insertBefore");
  arrange(list, [items[3], items[0], items[1], items[2]]);
  expect(list.textContent).toBe("dabc");
  expect(insert).toHaveBeenCalledOnce();
});

describe("a timer", () => {
  it("that is started again keeps its time; one that is restarted waits from the start", () => {
    vi.useFakeTimers();
    const callback = vi.fn();
    const timer = createTimer(callback, 100);
    timer.start();
    vi.advanceTimersByTime(60);
    timer.start();
    vi.advanceTimersByTime(60);
    expect(callback).toHaveBeenCalledOnce();
    timer.restart();
    vi.advanceTimersByTime(60);
    timer.restart();
    vi.advanceTimersByTime(60);
    expect(callback).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(60);
    expect(callback).toHaveBeenCalledTimes(2);
  });

  it("that is stopped does not call back", () => {
    vi.useFakeTimers();
    const callback = vi.fn();
    const timer = createTimer(callback, 100);
    timer.start();
    timer.stop();
    vi.advanceTimersByTime(200);
    expect(callback).not.toHaveBeenCalled();
  });
});
