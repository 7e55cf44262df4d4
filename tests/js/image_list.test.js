// @ts-check
import { describe, expect, it, vi } from "vitest";
import imageList from "../../astria_nb/form/images/image_list.js";
import { changesOrder, dropPlace, neighbour, stepPlace } from "../../astria_nb/form/images/image_order.js";
import { all, button, createModel, press, show } from "./model.js";

const ORDER = ["a", "b", "c"];

describe("the order of images", () => {
  it("moves one place left or right, and not beyond the ends", () => {
    expect(stepPlace(ORDER, "c", -1)).toBe("b");
    expect(stepPlace(ORDER, "a", 1)).toBe("c");
    expect(stepPlace(ORDER, "b", 1)).toBeNull();
    expect(stepPlace(ORDER, "a", -1)).toBeUndefined();
    expect(stepPlace(ORDER, "c", 1)).toBeUndefined();
  });

  it("puts a dropped image on the side of the tile that the pointer is on", () => {
    expect([dropPlace(ORDER, "b", true), dropPlace(ORDER, "b", false), dropPlace(ORDER, "c", false)]).toEqual([
      "b",
      "c",
      null,
    ]);
  });

  it("does not change when an image is put where it stands", () => {
    expect(changesOrder(ORDER, "b", "b")).toBe(false);
    expect(changesOrder(ORDER, "b", "c")).toBe(false);
    expect(changesOrder(ORDER, "c", null)).toBe(false);
    expect(changesOrder(ORDER, "a", null)).toBe(true);
  });

  it("gives the focus to the next image, else to the previous", () => {
    expect([neighbour(ORDER, "b"), neighbour(ORDER, "c"), neighbour(["a"], "a")]).toEqual(["c", "b", null]);
  });
});

const item = (/** @type {string} */ id) => ({ id, name: `${id}.jpg`, detail: "9 kB", badges: [] });

/** @param {any[]} items */
async function openList(items, duplicates = 0) {
  const kernel = createModel({ items, summary: `${items.length} images`, duplicates });
  const form = document.createElement("div");
  form.className = "astria-form";
  const { el, close } = await show(imageList, kernel.model);
  document.body.append(form);
  const input = document.createElement("input");
  input.className = "astria-drop-input";
  form.append(input, el);
  const tile = (/** @type {string} */ id) => all(el, ".astria-tile").filter((node) => node.dataset.id === id)[0];
  const names = () => all(el, ".astria-caption div:first-child").map((node) => node.textContent);
  return { ...kernel, el, tile, names, input, close };
}

describe("the image list", () => {
  it("asks for the thumbnails of images that were there before the page", async () => {
    expect((await openList([item("a")])).sent).toEqual([{ kind: "want" }]);
    expect((await openList([])).sent).toEqual([]);
  });

  it("moves an image by Shift and an arrow, and announces its place", async () => {
    const { el, model, tile, take } = await openList(ORDER.map(item));
    take();
    tile("c").focus();
    expect(press("ArrowLeft", { shiftKey: true })).toBe(true);
    expect(take()).toEqual([{ kind: "move", id: "c", before: "b" }]);
    model.set("items", ["a", "c", "b"].map(item));
    expect(el.querySelector("[role=status]")?.textContent).toBe("c.jpg is now 2 of 3");
    expect(document.activeElement).toBe(tile("c"));
    press("ArrowRight", { shiftKey: true });
    expect(take()).toEqual([{ kind: "move", id: "c", before: null }]);
  });

  it("does not send a move beyond the ends", async () => {
    const { el, tile, take } = await openList(ORDER.map(item));
    take();
    tile("a").focus();
    press("ArrowLeft", { shiftKey: true });
    button(el, "Move left").click();
    expect(button(el, "Move left").getAttribute("aria-disabled")).toBe("true");
    expect(take()).toEqual([]);
  });

  it("moves the focus by arrows, Home and End, and one tile is reached by Tab", async () => {
    const { el, tile } = await openList(ORDER.map(item));
    tile("a").focus();
    press("ArrowRight");
    expect(document.activeElement).toBe(tile("b"));
    press("End");
    expect(document.activeElement).toBe(tile("c"));
    press("ArrowDown");
    expect(document.activeElement).toBe(tile("c"));
    press("Home");
    expect(document.activeElement).toBe(tile("a"));
    expect(all(el, ".astria-tile").map((node) => node.tabIndex)).toEqual([0, -1, -1]);
  });

  it("leaves shortcuts with Ctrl, Alt or Cmd alone", async () => {
    const { tile, take } = await openList(ORDER.map(item));
    take();
    tile("b").focus();
    for (const modifier of ["ctrlKey", "altKey", "metaKey"]) {
      expect(press("ArrowLeft", { shiftKey: true, [modifier]: true })).toBe(false);
    }
    expect(take()).toEqual([]);
  });

  it("removes an image by Delete and focuses the next", async () => {
    const { model, tile, take, receive } = await openList(ORDER.map(item));
    take();
    tile("b").focus();
    press("Delete");
    expect(take()).toEqual([{ kind: "remove", ids: ["b"] }]);
    expect(document.activeElement).toBe(tile("c"));
    expect(document.querySelector("[data-unanswered]")).not.toBeNull(); // a click on Submit waits
    button(tile("b"), "Remove").click(); // again, before the kernel answers
    model.set("items", ["a", "c"].map(item));
    receive({ kind: "answered" });
    expect(document.querySelector("[data-unanswered]")).not.toBeNull();
    receive({ kind: "answered" }); // of what changed nothing
    expect(document.querySelector("[data-unanswered]")).toBeNull();
    expect(document.activeElement).toBe(tile("c"));
  });

  it("focuses the drop zone when the last image or all are removed", async () => {
    const { el, input, take } = await openList(["a", "b"].map(item), 1);
    take();
    button(el, "Remove all").click();
    expect(take()).toEqual([{ kind: "remove", ids: ["a", "b"] }]);
    expect(document.activeElement).toBe(input);
    button(el, "Remove duplicate").click();
    expect(take()).toEqual([{ kind: "remove_duplicates" }]);
  });

  it("says that the kernel is late, until it answers", async () => {
    vi.useFakeTimers();
    const { el, model, receive } = await openList(ORDER.map(item));
    const summary = () => el.querySelector(".astria-images-summary")?.textContent;
    button(el, "Move right").click();
    vi.advanceTimersByTime(1400);
    expect(summary()).toBe("3 images");
    vi.advanceTimersByTime(200);
    expect(summary()).toBe("3 images · waiting for the kernel");
    model.set("items", ["b", "a", "c"].map(item));
    receive({ kind: "answered" });
    expect(summary()).toBe("3 images");
  });

  it("shows a thumbnail when it arrives, and says which images have none", async () => {
    const { tile, receive } = await openList(ORDER.map(item));
    receive({ kind: "picture", id: "a" }, [new DataView(new ArrayBuffer(2))]);
    receive({ kind: "picture", id: "b" });
    expect(tile("a").querySelector("img")?.src).toMatch(/^blob:/);
    expect(tile("b").textContent).toContain("no preview");
  });

  it("shows names and badges as text", async () => {
    const evil = '<img src=x onerror="alert(1)">';
    const { el, names } = await openList([{ id: "a", name: evil, detail: evil, badges: [`${evil}: ${evil}`] }]);
    expect(el.querySelector("img")).toBeNull();
    expect(names()).toEqual([evil]);
  });
});
