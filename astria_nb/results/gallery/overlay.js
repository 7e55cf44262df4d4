// @ts-check
// The enlarged picture, on top of the page.
import { arrowStep, hasModifier, imageUrl, make, setText } from "../../utils/dom.js";
import { SaveControl } from "./save_status.js";
import { makeGalleryButton } from "./tile.js";

/** @typedef {import("./tile.js").Tile} Tile */
/**
 * @typedef {object} OverlayActions
 * @property {() => Tile[]} tiles those with a picture, in order
 * @property {(tile: Tile, key: string) => Tile | undefined} neighbour the one that an arrow key leads to
 * @property {(tile: Tile) => string} titleOf what its picture is shown under; empty in a plain grid
 * @property {(pictureId: string) => void} load
 * @property {(promptId: string) => void} like
 * @property {(promptId: string) => void} markLikes
 * @property {(pictureId: string, onStatus: (status: import("./saver.js").SaveStatus) => void) => () => void} save
 * @property {(tile: Tile) => void} onClose
 */

const MAX_LARGE_PICTURES = 8; // that are kept in memory

const isWebAddress = (/** @type {string} */ url) => /^https?:\/\//i.test(url);

/**
 * Return the tile some steps further; the first follows the last.
 *
 * @param {Tile[]} tiles
 * @param {Tile} tile
 * @param {number} step
 */
export const stepInCircle = (tiles, tile, step) => tiles[(tiles.indexOf(tile) + step + tiles.length) % tiles.length];

/**
 * Find out which part of the page is visible. In VS Code and Colab an output is a frame as high as its content, so
 * that the middle of the frame may be out of sight.
 *
 * @param {(visible?: DOMRectReadOnly) => void} callback gets nothing if the page is not in a frame
 */
function measureVisiblePart(callback) {
  if (window === window.top) {
    callback();
    return;
  }
  const observer = new IntersectionObserver(([{ intersectionRect }]) => {
    observer.disconnect();
    callback(intersectionRect);
  });
  observer.observe(document.documentElement);
}

export class Overlay {
  position = make("span", { className: "astria-pictures-place", attributes: { role: "status" } });
  image = make("img", { className: "astria-pictures-large" });
  note = make("div", { className: "astria-pictures-note", attributes: { role: "status" } });
  text = make("p", { className: "astria-pictures-whole" });
  link = make("a", { target: "_blank", rel: "noopener noreferrer", textContent: "Open the original" });
  problem = make("div", { className: "astria-pictures-error", attributes: { role: "alert" } });
  likeButton = makeGalleryButton("Like", () => this.tile && this.actions.like(this.tile.card.id));
  save = new SaveControl("Download", (onStatus) => this.actions.save(this.tile?.picture?.id ?? "", onStatus));
  dialog = make("dialog", { className: "astria-pictures-overlay", tabIndex: -1, autofocus: true });
  /** @type {Tile | undefined} */
  tile = undefined;
  /** @type {Map<string, string>} addresses of large pictures by id, the latest last */
  urls = new Map();

  /** @param {OverlayActions} actions */
  constructor(actions) {
    this.actions = actions;
    const bar = make(
      "div",
      { className: "astria-pictures-bar" },
      makeGalleryButton("Previous", () => this.move(-1)),
      makeGalleryButton("Next", () => this.move(1)),
      this.position,
      this.likeButton,
      this.save.button,
      makeGalleryButton("Close", () => this.dialog.close()),
    );
    const stage = make("div", { className: "astria-pictures-stage" }, this.image, this.note);
    const details = make("div", { className: "astria-pictures-bar" }, this.text, this.link);
    this.dialog.append(bar, this.save.line, this.problem, stage, details);
    this.dialog.addEventListener("keydown", (event) => this.onKey(event));
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // a click beside the picture
    });
    this.dialog.addEventListener("close", () => {
      const { tile } = this;
      this.tile = undefined;
      if (tile) actions.onClose(tile);
    });
  }

  /** @param {Tile} tile */
  open(tile) {
    this.show(tile);
    measureVisiblePart((visible) => {
      if (this.tile !== tile || this.dialog.open) return;
      if (visible?.height) {
        this.dialog.style.setProperty("--astria-seen-from", `${visible.top}px`);
        this.dialog.style.setProperty("--astria-seen", `${visible.height}px`);
      }
      this.dialog.showModal();
      this.dialog.focus();
    });
  }

  /** @param {Tile} tile */
  show(tile) {
    const { card, picture } = tile;
    if (!picture) return;
    this.tile = tile;
    this.note.textContent = this.problem.textContent = "";
    if (!this.save.cancel) this.save.clear(); // its result was that of another picture
    const url = this.urls.get(picture.id);
    this.image.hidden = !(url ?? tile.url);
    this.image.alt = card.text;
    this.image.src = url ?? tile.url ?? "";
    this.image.classList.toggle("astria-pictures-coming", !url);
    this.text.textContent = card.text;
    this.link.hidden = !isWebAddress(picture.url);
    if (!this.link.hidden) this.link.href = picture.url;
    if (!url) {
      this.note.textContent = "Loading";
      this.actions.load(picture.id);
    }
    this.drawPosition();
    this.actions.markLikes(card.id);
  }

  drawPosition() {
    if (!this.tile) return;
    const tiles = this.actions.tiles();
    const title = this.actions.titleOf(this.tile);
    const text = `${tiles.indexOf(this.tile) + 1} of ${tiles.length}${title && ` · ${title}`}`;
    setText(this.position, text);
    this.dialog.setAttribute("aria-label", `Picture ${text}`);
  }

  /**
   * @param {string} id
   * @param {DataView} bytes
   * @param {string} mediaType
   */
  onLoaded(id, bytes, mediaType) {
    if (!this.urls.has(id)) this.urls.set(id, imageUrl(bytes, mediaType));
    for (const oldest of [...this.urls.keys()].slice(0, -MAX_LARGE_PICTURES)) this.freeUrl(oldest);
    if (this.tile?.picture?.id === id) this.show(this.tile);
  }

  /**
   * @param {string} id
   * @param {string} problem
   */
  onFailed(id, problem) {
    if (this.tile?.picture?.id === id) this.note.textContent = problem;
  }

  /**
   * Show the next picture, and the first after the last: a button that is disabled would lose the focus.
   *
   * @param {number} step
   */
  move(step) {
    if (this.tile) this.show(stepInCircle(this.actions.tiles(), this.tile, step));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    event.stopPropagation(); // JupyterLab takes keys for commands
    if (!this.tile || !arrowStep(event.key) || hasModifier(event)) return;
    event.preventDefault();
    const tile = this.actions.neighbour(this.tile, event.key);
    if (tile) this.show(tile);
  }

  /** @param {string} id */
  freeUrl(id) {
    const url = this.urls.get(id);
    if (url) URL.revokeObjectURL(url);
    this.urls.delete(id);
  }

  close() {
    for (const id of [...this.urls.keys()]) this.freeUrl(id);
  }
}
