// @ts-check
import { beforeEach, describe, expect, it, vi } from "vitest";
import picker from "../../astria_nb/form/pickers/picker.js";
import { matchesQuery, statusText } from "../../astria_nb/form/pickers/picker_card.js";
import { all, button, createModel, nextFrame, press, show } from "./model.js";
import { scrollTo } from "./setup.js";

const EVIL = '<img src=x onerror="alert(1)">';
const COLUMNS = 3;
const card = (/** @type {string} */ id) => ({ id, title: `pack ${id}`, lines: ["woman"], picture: "some" });
const cards = (/** @type {number} */ count) => Array.from({ length: count }, (_, index) => card(String(index)));

beforeEach(() => {
  // jsdom lays nothing out: three cards stand in a row.
  Object.defineProperty(HTMLElement.prototype, "offsetTop", {
    configurable: true,
    get() {
      const visible = [...(this.parentElement?.children ?? [])].filter((node) => !node.hidden);
      return Math.floor(visible.indexOf(this) / COLUMNS);
    },
  });
});

describe("the search", () => {
  it("finds cards that have every word, in any order and case", () => {
    expect(matchesQuery("260\ncorporate headshots\nwoman", "Headshots corp")).toBe(true);
    expect(matchesQuery("260\ncorporate headshots\nwoman", "headshots cat")).toBe(false);
    expect(matchesQuery("260", " ")).toBe(true);
  });

  it.each([
    [{ count: 1, visible: 1 }, "1 pack"],
    [{ count: 9, visible: 9, hasMore: true }, "9 packs loaded; there are more"],
    [{ count: 9, visible: 2, query: "cat" }, "2 of 9 packs match “cat”"],
    [
      { count: 9, visible: 0, query: "cat", hasMore: true },
      "None of 9 packs loaded matches “cat”; others may match once they are loaded",
    ],
    [{ count: 9, visible: 9, selection: "2 chosen" }, "9 packs · 2 chosen"],
  ])("%o reads as %s", (status, text) => {
    expect(statusText({ noun: "pack", query: "", hasMore: false, selection: "", ...status })).toBe(text);
  });
});

/** @param {Record<string, unknown>} state */
async function openPicker(state = {}) {
  const kernel = createModel({
    ...{ noun: "pack", multiple: false, empty: "No packs", unchosen: "", is_open: true, chosen: [] },
    ...{ items: cards(8), more: false, state: "ready", failure: "" },
    ...state,
  });
  const { el, close } = await show(picker, kernel.model);
  const search = /** @type {HTMLInputElement} */ (el.querySelector("input"));
  const find = (/** @type {string} */ query) => {
    search.value = query;
    search.dispatchEvent(new Event("input"));
  };
  const visible = () => all(el, "[role=option]").filter((node) => !node.hidden);
  const status = () => el.querySelector("[role=status]")?.textContent;
  return { ...kernel, el, close, search, find, visible, status, options: all(el, "[role=option]") };
}

describe("a picker", () => {
  it("goes from the search into the grid and back, and along its rows", async () => {
    const { search, options } = await openPicker();
    search.focus();
    const steps = ["ArrowDown", "ArrowRight", "ArrowDown", "ArrowDown", "Home", "End", "ArrowUp"].map((key) => {
      press(key);
      return options.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    });
    expect(steps).toEqual([0, 1, 4, 7, 0, 7, 4]);
    press("Home");
    press("ArrowUp");
    expect(document.activeElement).toBe(search);
  });

  it("chooses one by Enter and closes", async () => {
    const { model, options } = await openPicker();
    options[2].focus();
    expect(press("Enter")).toBe(true);
    expect([model.get("chosen"), model.get("is_open")]).toEqual([["2"], false]);
  });

  it("chooses several by click or Space, and clears the choice", async () => {
    const { el, model, options, search, status } = await openPicker({ multiple: true });
    options[2].click();
    options[4].focus();
    press(" ");
    options[2].click();
    options[1].click();
    expect([model.get("chosen"), model.get("is_open")]).toEqual([["4", "1"], true]);
    expect(status()).toBe("8 packs · 2 chosen");
    button(el, "Clear selection").click();
    expect([model.get("chosen"), document.activeElement]).toEqual([[], search]);
  });

  it("filters, and Escape clears the search before it closes", async () => {
    const { model, search, find, visible, status } = await openPicker();
    find("pack 3");
    expect(visible().map((node) => node.textContent)).toEqual(["pack 3woman"]);
    expect(status()).toBe("1 of 8 packs matches “pack 3”");
    search.focus();
    press("Escape");
    expect([search.value, visible().length, model.get("is_open")]).toEqual(["", 8, true]);
    press("Escape");
    expect(model.get("is_open")).toBe(false);
  });

  it("keeps one card in reach of the Tab key: the chosen one, else the first that matches", async () => {
    const { options, find } = await openPicker({ chosen: ["5"] });
    const reachable = () => options.filter((node) => node.tabIndex === 0).map((node) => options.indexOf(node));
    expect(reachable()).toEqual([5]);
    find("pack 2");
    expect(reachable()).toEqual([2]);
  });

  it("asks once for the thumbnails of cards that rest in view", async () => {
    vi.useFakeTimers();
    const items = [...cards(3), { ...card("3"), picture: "none" }];
    const { options, take, receive } = await openPicker({ items });
    scrollTo(options);
    vi.advanceTimersByTime(60);
    scrollTo([options[0]], false);
    vi.advanceTimersByTime(60);
    expect(take()).toEqual([]);
    vi.advanceTimersByTime(60);
    expect(take()).toEqual([{ kind: "thumbnails", ids: ["1", "2"] }]);
    receive({ kind: "card", card: { ...card("1"), lines: ["cat"] } }, [new DataView(new ArrayBuffer(2))]);
    expect(options[1].querySelector("img")?.src).toMatch(/^blob:/);
    expect(options[1].textContent).toContain("cat");
    scrollTo(options);
    vi.advanceTimersByTime(200);
    expect(take()).toEqual([{ kind: "thumbnails", ids: ["0"] }]);
  });

  it("loads more at its end, but not while something is searched", async () => {
    const { el, find, take } = await openPicker({ more: true });
    const more = button(el, "Load more");
    scrollTo([more]);
    expect(take()).toEqual([{ kind: "load_more" }]);
    find("cat");
    scrollTo([more]);
    expect(take()).toEqual([]);
    more.click();
    expect(take()).toEqual([{ kind: "load_more" }]);
  });

  it("goes on with the first new card when Load more had the focus", async () => {
    const { el, model } = await openPicker({ items: cards(3), more: true });
    button(el, "Load more").focus();
    model.set("items", cards(6));
    await nextFrame();
    expect(document.activeElement).toBe(all(el, "[role=option]")[3]);
  });

  it("shows why loading failed, and retries", async () => {
    const { el, model, take, search } = await openPicker({ items: [], more: true });
    button(el, "Load more").focus();
    model.set("failure", EVIL);
    model.set("state", "failed");
    await nextFrame();
    expect(el.querySelector("[role=alert] span")?.textContent).toBe(EVIL);
    expect(document.activeElement).toBe(button(el, "Retry"));
    button(el, "Retry").click();
    expect([take(), document.activeElement]).toEqual([[{ kind: "load_more" }], search]);
    button(el, "Reload").click();
    expect(take()).toEqual([{ kind: "reload" }]);
  });

  it("shows titles as text, and says when there is nothing to choose", async () => {
    const { el, model, status } = await openPicker({ items: [{ ...card("1"), title: EVIL, lines: [EVIL] }] });
    expect(el.querySelector("img")).toBeNull();
    model.set("items", []);
    await nextFrame();
    expect(status()).toBe("No packs");
  });

  it("follows the order of the kernel and leaves shortcuts to the notebook", async () => {
    const { el, model, options } = await openPicker({ items: cards(3) });
    model.set("items", [card("9"), ...cards(3)]);
    await nextFrame();
    expect(all(el, ".astria-picker-title").map((node) => node.textContent)).toEqual([
      "pack 9",
      "pack 0",
      "pack 1",
      "pack 2",
    ]);
    options[0].focus();
    expect(press("ArrowRight", { ctrlKey: true })).toBe(false);
    press("ArrowLeft");
    expect(document.activeElement).toBe(all(el, "[role=option]")[0]);
  });
});
