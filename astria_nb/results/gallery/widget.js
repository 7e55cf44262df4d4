// @ts-check
// The pictures of tunes in a grid, one of which can be enlarged. The kernel holds the pictures and sends them as bytes.
// The messages are described in _messages.py.
import {
  arrowStep,
  closest,
  createFrameTask,
  hasModifier,
  keepPlainKeys,
  listenTo,
  make,
  setText,
} from "../../utils/dom.js";
import { followKernel, makeKernelNote } from "../../utils/kernel.js";
import { ComparisonTable } from "./comparison.js";
import { PictureGrid } from "./grid.js";
import { KeepControl } from "./keeping.js";
import { Likes } from "./likes.js";
import { Overlay } from "./overlay.js";
import { SaveControl } from "./save_status.js";
import { Saver } from "./saver.js";
import { ThumbnailRequests } from "./thumbnail_requests.js";
import { Tile } from "./tile.js";
import { WatchControl } from "./watching.js";

/** @typedef {import("./tile.js").Card} Card */
/**
 * @typedef {{ cards: Card[], comparison: Partial<import("./comparison.js").Comparison>,
 *   keep: Partial<import("./keeping.js").KeepOffer>, summary: string,
 *   state: import("./watching.js").WatchState, failure: string, thumbnails: Record<string, DataView>,
 *   saved_number: number }} State
 */
/**
 * @typedef {{ kind: "thumbnails", ids: string[] }
 *   | { kind: "enlarge", id: string }
 *   | { kind: "like", id: string, liked: boolean }
 *   | { kind: "save", transfer: string, id: string }
 *   | { kind: "received", transfer: string, offset: number }
 *   | { kind: "cancel_save", transfer: string }
 *   | { kind: "keep", keep: boolean }
 *   | { kind: "stop" }
 *   | { kind: "resume" }} ToKernel
 * @typedef {{ kind: "thumbnail", id: string }
 *   | { kind: "large", id: string, media_type: string }
 *   | { kind: "large_failed", id: string, problem: string }
 *   | { kind: "liked", id: string, liked: boolean, problem: string }
 *   | { kind: "piece", transfer: string, offset: number, progress: string, fraction: number }
 *   | { kind: "saved", transfer: string, name: string, size: number, summary: string }
 *   | { kind: "save_failed", transfer: string, problem: string }} FromKernel
 */
/** @typedef {import("../../utils/dom.js").Model<State, ToKernel>} Model */

class Gallery {
  summary = make("span", { className: "astria-pictures-summary", attributes: { role: "status" } });
  watching = new WatchControl((kind) => this.model.send({ kind }));
  save = new SaveControl("Download all", (onStatus) => this.saver.start("", this.countPictures(), onStatus));
  keep = new KeepControl((keep) => this.model.send({ kind: "keep", keep }));
  failure = make("div", { className: "astria-pictures-error", attributes: { role: "alert" } });
  problem = make("div", { className: "astria-pictures-error", attributes: { role: "alert" } });
  root = make("div", {
    className: "astria-pictures",
    tabIndex: -1,
    attributes: { role: "group", "aria-label": "Pictures" },
  });
  kernelNote = makeKernelNote("gallery");
  saver = new Saver((message) => this.model.send(message), this.root);
  overlay = new Overlay({
    tiles: () => this.arrangement.tiles.filter((tile) => tile.picture),
    neighbour: (tile, key) => this.arrangement.neighbour(key, tile, true),
    titleOf: (tile) => this.arrangement.titleOf(tile),
    load: (id) => this.model.send({ kind: "enlarge", id }),
    like: (promptId) => this.like(promptId),
    markLikes: (promptId) => this.markLikes(promptId),
    save: (id, onStatus) => this.saver.start(id, 1, onStatus),
    onClose: (tile) => this.focus(tile),
  });

  /**
   * @param {Model} model
   * @param {HTMLElement} el
   */
  constructor(model, el) {
    this.model = model;
    /** @type {Map<string, Tile>} by the id of the picture, or of the prompt that failed */
    this.tiles = new Map();
    /** @type {WeakMap<Element, Tile>} */
    this.tileOf = new WeakMap();
    /** @type {Tile | undefined} the one that the Tab key reaches */
    this.current = undefined;
    this.likes = new Likes();
    this.hasKernel = true;
    /** @type {PictureGrid | ComparisonTable} */
    this.arrangement = model.get("comparison")?.columns ? new ComparisonTable() : new PictureGrid();
    this.area = this.arrangement.node;
    this.drawing = createFrameTask(() => this.draw()); // many changes at once are drawn once
    this.thumbnails = new ThumbnailRequests(this.area, this.tileOf, (ids) => model.send({ kind: "thumbnails", ids }));
    this.build();
    el.append(this.root);
    const drawStatus = () => this.drawStatus();
    this.stopListening = listenTo(model, {
      "change:cards": this.drawing.schedule,
      "change:comparison": this.drawing.schedule,
      "change:keep": drawStatus,
      "change:summary": drawStatus,
      "change:state": drawStatus,
      "change:failure": drawStatus,
      "msg:custom": (message, buffers) => this.onMessage(message, buffers?.[0]),
    });
    this.draw();
    this.drawStatus();
    this.stopFollowing = followKernel({
      model,
      view: el,
      findWidget: () => el,
      savedNumber: model.get("saved_number"),
      onLost: () => this.onKernelLost(),
      onFound: () => this.onKernelFound(),
    });
  }

  build() {
    const buttons = make(
      "div",
      { className: "astria-pictures-buttons" },
      ...[...this.watching.buttons, this.save.button, this.keep.button],
    );
    const line = make("div", { className: "astria-pictures-line" }, this.summary, this.keep.note, buttons);
    this.root.append(
      line,
      this.keep.panel,
      this.keep.problem,
      this.save.line,
      this.failure,
      this.problem,
      this.area,
      this.overlay.dialog,
    );
    keepPlainKeys(this.root);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.area.addEventListener("focusin", (event) => {
      const tile = this.tileAround(event);
      if (tile) this.setCurrent(tile);
    });
  }

  /** @param {Event} event */
  tileAround(event) {
    return this.tileOf.get(closest(event, ".astria-pictures-tile") ?? this.area);
  }

  drawStatus() {
    const state = this.model.get("state");
    setText(this.summary, this.model.get("summary"));
    setText(this.failure, this.model.get("failure"));
    this.keep.draw(this.model.get("keep") ?? {});
    this.watching.draw(state, this.root);
    this.area.setAttribute("aria-busy", String(state === "watching"));
  }

  draw() {
    const cards = this.model.get("cards");
    for (const { id, liked } of cards) this.likes.update(id, liked);
    const entries = cards.flatMap((card) => {
      const pictures = card.pictures.length ? card.pictures : [undefined]; // a failed prompt has a tile as well
      return pictures.map((picture) => ({ card, picture }));
    });
    const ids = new Set(entries.map(({ card, picture }) => picture?.id ?? card.id));
    for (const tile of this.tiles.values()) if (!ids.has(tile.id)) this.remove(tile);
    const tiles = entries.map(({ card, picture }) => {
      const tile = this.tiles.get(picture?.id ?? card.id) ?? this.add(card, picture);
      tile.fill(card);
      if (tile.likeButton) this.likes.mark(tile.likeButton, card.id);
      return tile;
    });
    this.arrangement.draw(tiles, this.model.get("comparison") ?? {});
    this.drawTabStop();
    this.save.button.hidden = !this.countPictures();
    if (!this.current || this.tiles.get(this.current.id) !== this.current) this.setCurrent(this.arrangement.tiles[0]);
    this.overlay.drawPosition();
  }

  /** Let the Tab key reach the scrolling area if it reaches no tile in it: all are gaps, or their buttons are off. */
  drawTabStop() {
    if (this.hasKernel && this.arrangement.tiles.length) this.area.removeAttribute("tabindex");
    else this.area.tabIndex = 0;
  }

  /** Show what the widget's state has, with a note that the rest needs a kernel. */
  onKernelLost() {
    this.overlay.dialog.close();
    this.saver.close();
    this.watching.hide();
    this.save.button.hidden = this.keep.button.hidden = this.keep.panel.hidden = true;
    for (const tile of this.tiles.values()) if (tile.picture && !tile.url) tile.showThumbnail(undefined);
    this.hasKernel = false;
    this.drawTabStop();
    this.root.prepend(this.kernelNote);
  }

  onKernelFound() {
    this.hasKernel = true;
    this.kernelNote.remove();
    this.draw();
    this.drawStatus();
  }

  /**
   * @param {Card} card
   * @param {import("./tile.js").Picture | undefined} picture
   */
  add(card, picture) {
    const tile = new Tile(card, picture, {
      enlarge: (enlarged) => this.overlay.open(enlarged),
      like: (promptId) => this.like(promptId),
    });
    this.tiles.set(tile.id, tile);
    this.tileOf.set(tile.node, tile);
    if (picture) this.thumbnails.add(tile, this.model.get("thumbnails")?.[picture.id]);
    return tile;
  }

  /** @param {Tile} tile */
  remove(tile) {
    this.thumbnails.remove(tile);
    if (this.overlay.tile === tile) this.overlay.dialog.close();
    tile.freeUrl();
    tile.node.remove();
    this.tiles.delete(tile.id);
  }

  countPictures() {
    return this.model.get("cards").reduce((count, card) => count + card.pictures.length, 0);
  }

  /**
   * Let the Tab key reach one tile; arrow keys lead to the others.
   *
   * @param {Tile | undefined} tile
   */
  setCurrent(tile) {
    if (tile === this.current) return;
    this.current?.setTabStop(false);
    tile?.setTabStop(true);
    this.current = tile;
  }

  /** @param {Tile} tile */
  focus(tile) {
    this.setCurrent(tile);
    tile.focusable.focus();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const tile = this.tileAround(event);
    if (!tile || hasModifier(event)) return;
    const target = this.arrangement.neighbour(event.key, tile);
    if (!target && !arrowStep(event.key)) return;
    event.preventDefault(); // the arrows do not scroll either
    if (target) this.focus(target);
  }

  /**
   * @param {FromKernel} message
   * @param {DataView | undefined} bytes
   */
  onMessage(message, bytes) {
    switch (message.kind) {
      case "thumbnail":
        this.tiles.get(message.id)?.showThumbnail(bytes);
        break;
      case "large":
        if (bytes) this.overlay.onLoaded(message.id, bytes, message.media_type);
        break;
      case "large_failed":
        this.overlay.onFailed(message.id, message.problem);
        break;
      case "liked":
        this.onLiked(message.id, message.liked, message.problem);
        break;
      default:
        this.saver.onMessage(message, bytes);
    }
  }

  /** @param {string} promptId */
  like(promptId) {
    const liked = this.likes.toggle(promptId);
    if (liked === undefined) return;
    this.model.send({ kind: "like", id: promptId, liked });
    this.markLikes(promptId);
    this.problem.textContent = this.overlay.problem.textContent = "";
  }

  /**
   * @param {string} promptId
   * @param {boolean} liked
   * @param {string} problem
   */
  onLiked(promptId, liked, problem) {
    this.likes.settle(promptId, liked);
    for (const card of this.model.get("cards")) if (card.id === promptId) card.liked = liked; // for the next drawing
    this.markLikes(promptId);
    (this.overlay.tile ? this.overlay : this).problem.textContent = problem;
  }

  /** @param {string} promptId */
  markLikes(promptId) {
    for (const { card, likeButton } of this.tiles.values()) {
      if (card.id === promptId && likeButton) this.likes.mark(likeButton, promptId);
    }
    if (this.overlay.tile?.card.id === promptId) this.likes.mark(this.overlay.likeButton, promptId);
  }

  close() {
    this.thumbnails.close();
    this.drawing.cancel();
    this.stopFollowing();
    this.stopListening();
    for (const tile of this.tiles.values()) tile.freeUrl();
    this.overlay.close();
    this.saver.destroy();
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const gallery = new Gallery(model, el);
    return () => gallery.close();
  },
};
