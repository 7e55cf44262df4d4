// @ts-check
import { beforeEach, describe, expect, it, vi } from "vitest";
import { captionOf } from "../../astria_nb/results/gallery/tile.js";
import gallery from "../../astria_nb/results/gallery/widget.js";
import { all, button, createModel, nextFrame, press, show } from "./model.js";
import { scrollTo } from "./setup.js";

const EVIL = '<img src=x onerror="alert(1)">';
const BYTES = new DataView(new ArrayBuffer(2));
const COLUMNS = 2;

/**
 * @param {string} id
 * @param {Record<string, unknown>} [fields]
 */
const prompt = (id, fields) => ({
  ...{ id, text: `prompt ${id}`, error: "", liked: false },
  pictures: [{ id: `${id}.0`, url: `https://example.com/${id}.jpg` }],
  ...fields,
});

beforeEach(() => {
  // jsdom lays nothing out: two tiles stand in a row.
  Object.defineProperty(HTMLElement.prototype, "offsetTop", {
    configurable: true,
    get() {
      return Math.floor([...(this.parentElement?.children ?? [])].indexOf(this) / COLUMNS);
    },
  });
});

/**
 * @param {any[]} cards
 * @param {Record<string, unknown>} [state]
 */
async function openGallery(cards, state = {}) {
  const kernel = createModel({ cards, summary: "Pictures", state: "over", failure: "", ...state });
  const { el, close } = await show(gallery, kernel.model);
  const dialog = /** @type {HTMLDialogElement} */ (el.querySelector("dialog"));
  const tiles = () => all(el, "[role=listitem]");
  return { ...kernel, el, close, dialog, tiles, frames: () => tiles().map((tile) => all(tile, "button")[0]) };
}

const PROMPTS = ["1", "2", "3"].map((id) => prompt(id));

describe("a caption", () => {
  it("leaves out the tunes in front of a prompt", () => {
    expect(captionOf("<lora:123:1.0> <lora:a-b:0.5> a cat")).toBe("a cat");
    expect(captionOf("<lora:123:1.0>")).toBe("<lora:123:1.0>");
    expect(captionOf("a <lora:123:1.0> cat")).toBe("a <lora:123:1.0> cat");
  });
});

describe("the gallery", () => {
  it("asks once for the thumbnails that came into view", async () => {
    vi.useFakeTimers();
    const { tiles, take, receive } = await openGallery(PROMPTS);
    scrollTo(tiles().slice(0, 1));
    scrollTo(tiles().slice(1, 2));
    expect(take()).toEqual([]);
    vi.advanceTimersByTime(150);
    expect(take()).toEqual([{ kind: "thumbnails", ids: ["1.0", "2.0"] }]);
    receive({ kind: "thumbnail", id: "1.0" }, [BYTES]);
    expect(tiles()[0].querySelector("img")?.alt).toBe("prompt 1");
    scrollTo(tiles().slice(0, 1), false);
    scrollTo(tiles().slice(0, 1));
    vi.advanceTimersByTime(150);
    expect(take()).toEqual([]);
  });

  it("asks again for one that could not be loaded when it comes back into view", async () => {
    vi.useFakeTimers();
    const { tiles, take, receive } = await openGallery(PROMPTS.slice(0, 1));
    scrollTo(tiles());
    vi.advanceTimersByTime(150);
    take();
    receive({ kind: "thumbnail", id: "1.0" });
    expect(tiles()[0].textContent).toContain("no preview");
    scrollTo(tiles(), false);
    scrollTo(tiles());
    vi.advanceTimersByTime(150);
    expect(take()).toEqual([{ kind: "thumbnails", ids: ["1.0"] }]);
  });

  it("is walked by arrow keys, and Tab reaches one tile", async () => {
    const { frames } = await openGallery(["1", "2", "3", "4", "5"].map((id) => prompt(id)));
    frames()[0].focus();
    const steps = ["ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp", "Home", "ArrowUp", "End"].map((key) => {
      press(key);
      return frames().indexOf(/** @type {HTMLElement} */ (document.activeElement));
    });
    expect(steps).toEqual([1, 3, 4, 2, 0, 0, 4]);
    expect(frames().map((frame) => frame.tabIndex)).toEqual([-1, -1, -1, -1, 0]);
  });

  it("shows failed prompts without a picture, and all text as text", async () => {
    const { el, tiles } = await openGallery([prompt("1", { text: EVIL }), prompt("2", { error: EVIL, pictures: [] })]);
    expect(el.querySelector(".astria-pictures-grid img")).toBeNull();
    expect(tiles()[1].textContent).toBe(`Failed${EVIL}prompt 2`);
  });

  it("stops and resumes watching, and the focus stays with the buttons", async () => {
    const { el, model, take } = await openGallery(PROMPTS, { state: "watching" });
    const stop = button(el, "Stop watching");
    const resume = button(el, "Check again");
    expect([stop.hidden, resume.hidden]).toEqual([false, true]);
    stop.focus();
    stop.click();
    model.set("state", "stopped");
    expect(document.activeElement).toBe(resume);
    resume.click();
    expect(take()).toEqual([{ kind: "stop" }, { kind: "resume" }]);
  });

  it("adds pictures as they come, and closes the large view of one that goes", async () => {
    const { model, frames, dialog, tiles } = await openGallery(PROMPTS.slice(0, 1));
    const [first] = tiles();
    model.set("cards", PROMPTS);
    await nextFrame();
    expect([tiles().length, tiles()[0]]).toEqual([3, first]);
    frames()[1].click();
    expect(dialog.open).toBe(true);
    model.set("cards", [PROMPTS[0]]);
    await nextFrame();
    expect([tiles().length, dialog.open]).toEqual([1, false]);
  });
});

describe("the large view", () => {
  it("loads a picture once, and shows its position", async () => {
    const { frames, dialog, take, receive } = await openGallery(PROMPTS);
    frames()[1].click();
    expect(take()).toEqual([{ kind: "enlarge", id: "2.0" }]);
    expect(dialog.getAttribute("aria-label")).toBe("Picture 2 of 3");
    receive({ kind: "large", id: "2.0", media_type: "image/png" }, [BYTES]);
    expect(dialog.querySelector("img")?.src).toMatch(/^blob:/);
    dialog.close();
    frames()[1].click();
    expect(take()).toEqual([]);
  });

  it("moves by arrow keys, comes round, and gives the focus back to the tile", async () => {
    const { frames, dialog } = await openGallery(PROMPTS);
    frames()[0].click();
    dialog.focus();
    const key = (/** @type {string} */ name) =>
      dialog.dispatchEvent(new KeyboardEvent("keydown", { key: name, cancelable: true }));
    key("ArrowLeft");
    expect(dialog.getAttribute("aria-label")).toBe("Picture 3 of 3");
    key("ArrowRight");
    key("ArrowRight");
    expect(dialog.getAttribute("aria-label")).toBe("Picture 2 of 3");
    dialog.close();
    expect(document.activeElement).toBe(frames()[1]);
  });

  it("says why a picture could not be loaded", async () => {
    const { frames, dialog, receive } = await openGallery(PROMPTS);
    frames()[0].click();
    receive({ kind: "large_failed", id: "2.0", problem: "another picture" });
    receive({ kind: "large_failed", id: "1.0", problem: "the service did not answer" });
    expect(dialog.querySelector(".astria-pictures-note")?.textContent).toBe("the service did not answer");
  });

  it("links to web addresses only", async () => {
    const cards = [prompt("1"), prompt("2", { pictures: [{ id: "2.0", url: "javascript:alert(1)" }] })];
    const { frames, dialog } = await openGallery(cards);
    const link = /** @type {HTMLAnchorElement} */ (dialog.querySelector("a"));
    frames()[0].click();
    expect([link.hidden, link.href]).toEqual([false, "https://example.com/1.jpg"]);
    dialog.close();
    frames()[1].click();
    expect(link.hidden).toBe(true);
    expect(link.href).not.toContain("javascript");
  });
});

describe("a like", () => {
  it("shows at once, is sent once, and covers all pictures of its prompt", async () => {
    const pictures = ["1.0", "1.1"].map((id) => ({ id, url: "" }));
    const { el, take, receive } = await openGallery([prompt("1", { pictures })]);
    const likes = () => all(el, ".astria-pictures-grid [aria-pressed]");
    likes()[0].click();
    likes()[1].click();
    expect(take()).toEqual([{ kind: "like", id: "1", liked: true }]);
    expect(likes().map((like) => like.textContent)).toEqual(["Liked", "Liked"]);
    receive({ kind: "liked", id: "1", liked: true, problem: "" });
    likes()[1].click();
    expect(take()).toEqual([{ kind: "like", id: "1", liked: false }]);
  });

  it("is taken back, with the reason, when the service refuses it", async () => {
    const { el, receive, model } = await openGallery(PROMPTS.slice(0, 1));
    const [like] = all(el, ".astria-pictures-grid [aria-pressed]");
    like.click();
    model.set("cards", PROMPTS.slice(0, 1)); // a redraw meanwhile does not undo it
    await nextFrame();
    expect(like.textContent).toBe("Liked");
    receive({ kind: "liked", id: "1", liked: false, problem: EVIL });
    expect([like.textContent, like.getAttribute("aria-pressed")]).toEqual(["Like", "false"]);
    expect(all(el, "[role=alert]").map((alert) => alert.textContent)).toContain(EVIL);
  });
});
