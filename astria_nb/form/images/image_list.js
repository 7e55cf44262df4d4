// @ts-check
// Shows the images of a form and asks the kernel to move or remove them. The kernel decides what the list holds and
// in which order (`items`). The messages are described in image_list.py.
import {
  arrange,
  arrowStep,
  closest,
  createTimer,
  hasModifier,
  keepPlainKeys,
  listenTo,
  make,
  makeButton,
} from "../../utils/dom.js";
import { enableDragging } from "./image_dragging.js";
import { changesOrder, neighbour, stepPlace } from "./image_order.js";
import { createThumbnails, createTile } from "./image_tile.js";

/** @typedef {import("./image_tile.js").Model} Model */
/** @typedef {import("./image_tile.js").ToKernel} ToKernel */
/** @typedef {import("./image_tile.js").FromKernel} FromKernel */
/** @typedef {ReturnType<typeof createThumbnails>} Thumbnails */

const BUSY_AFTER = 1500; // ms without an answer until the kernel counts as busy

class ImageList {
  summary = make("span", { className: "astria-images-summary" });
  removeDuplicates = makeButton("", () => this.ask({ kind: "remove_duplicates" }));
  removeAll = makeButton("Remove all", () => {
    this.focus(null);
    this.ask({ kind: "remove", ids: this.order() });
  });
  list = make("ol", { className: "astria-tiles", attributes: { "aria-label": "Images, in upload order" } });
  status = make("div", { className: "astria-images-spoken", attributes: { role: "status" } });

  /**
   * @param {Model} model
   * @param {HTMLElement} el
   * @param {Thumbnails} thumbnails
   */
  constructor(model, el, thumbnails) {
    this.model = model;
    this.el = el;
    this.thumbnails = thumbnails;
    /** @type {Map<string, ReturnType<typeof createTile>>} */
    this.tiles = new Map();
    /** @type {string | null} id of the tile that the Tab key reaches */
    this.current = null;
    /** @type {string | null} id of the image that was moved last, until the kernel has moved it */
    this.moved = null;
    this.unanswered = 0; // what the kernel was asked for and has not done yet
    this.isLate = false;
    this.answerDue = createTimer(() => {
      this.isLate = true;
      this.draw();
    }, BUSY_AFTER);
    this.build();
    enableDragging(
      this.list,
      () => this.order(),
      (id, before) => this.move(id, before),
    );
    this.stopListening = listenTo(model, {
      "change:items": () => this.onItemsChanged(),
      "change:summary": () => this.draw(),
      "change:duplicates": () => this.draw(),
      "msg:custom": (/** @type {FromKernel} */ message) => {
        if (message.kind === "answered") this.onAnswered();
      },
    });
    this.draw();
  }

  build() {
    const buttons = make("div", { className: "astria-images-buttons" }, this.removeDuplicates, this.removeAll);
    const head = make("div", { className: "astria-images-head" }, this.summary, buttons);
    const root = make("div", { className: "astria-images" }, head, this.list, this.status);
    keepPlainKeys(root);
    this.list.addEventListener("focusin", (event) => this.onFocus(event));
    this.list.addEventListener("keydown", (event) => this.onKey(event));
    this.el.append(root);
  }

  order() {
    return this.model.get("items").map((item) => item.id);
  }

  /** @param {ToKernel} message */
  ask(message) {
    this.model.send(message);
    this.unanswered += 1;
    this.answerDue.restart();
    this.el.toggleAttribute("data-unanswered", true); // Submit waits for the answer
  }

  /**
   * @param {string} id
   * @param {string | null} before
   */
  move(id, before) {
    if (!changesOrder(this.order(), id, before)) return;
    this.moved = id;
    this.ask({ kind: "move", id, before });
  }

  /**
   * @param {string} id
   * @param {number} step
   */
  step(id, step) {
    const place = stepPlace(this.order(), id, step);
    if (place !== undefined) this.move(id, place);
  }

  /** @param {string} id */
  remove(id) {
    this.current = neighbour(this.order(), id);
    if (this.tiles.get(id)?.element.contains(document.activeElement)) this.focus(this.current);
    this.ask({ kind: "remove", ids: [id] });
  }

  /** @param {string | null} id of a tile; null for the drop zone */
  focus(id) {
    const form = this.el.closest(".astria-form");
    /** @type {HTMLElement | null | undefined} */
    const element = id === null ? form?.querySelector(".astria-drop-input") : this.tiles.get(id)?.tile;
    element?.focus();
  }

  /** @param {FocusEvent} event */
  onFocus(event) {
    const id = closest(event, ".astria-tile")?.dataset.id;
    if (id === undefined || id === this.current) return;
    this.current = id;
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const id = /** @type {HTMLElement} */ (event.target).dataset.id; // buttons have none
    const order = this.order();
    const index = id === undefined ? -1 : order.indexOf(id);
    if (id === undefined || index < 0 || hasModifier(event)) return;
    const step = arrowStep(event.key);
    if (step && event.shiftKey) this.step(id, step);
    else if (step) this.focus(order[index + step] ?? id);
    else if (event.key === "Home") this.focus(order[0]);
    else if (event.key === "End") this.focus(order[order.length - 1]);
    else if (event.key === "Delete") this.remove(id);
    else return;
    event.preventDefault();
  }

  draw() {
    const items = this.model.get("items");
    const order = this.order();
    const { activeElement } = document;
    const focused = this.list.contains(activeElement) ? /** @type {HTMLElement} */ (activeElement) : null;
    for (const [id, { element }] of this.tiles) {
      if (order.includes(id)) continue;
      element.remove();
      this.tiles.delete(id);
    }
    if (this.current === null || !order.includes(this.current)) this.current = order[0] ?? null;
    const tiles = items.map((item) => this.tiles.get(item.id) ?? this.add(item.id));
    for (const [index, item] of items.entries()) {
      tiles[index].update(item, index, items.length, this.thumbnails.get(item.id), item.id === this.current);
    }
    arrange(
      this.list,
      tiles.map((tile) => tile.element),
    );
    if (focused && focused !== document.activeElement) focused.focus(); // moving its tile took the focus
    this.list.hidden = !items.length;
    this.drawHead(items.length);
  }

  /** @param {number} count */
  drawHead(count) {
    this.summary.textContent = this.model.get("summary") + (this.isLate ? " · waiting for the kernel" : "");
    const duplicates = this.model.get("duplicates");
    this.removeDuplicates.textContent = duplicates === 1 ? "Remove duplicate" : `Remove ${duplicates} duplicates`;
    this.removeDuplicates.hidden = !duplicates;
    this.removeAll.hidden = count < 2;
  }

  /** @param {string} id */
  add(id) {
    const tile = createTile({
      moveLeft: () => this.step(id, -1),
      moveRight: () => this.step(id, 1),
      remove: () => this.remove(id),
    });
    this.tiles.set(id, tile);
    return tile;
  }

  onAnswered() {
    this.unanswered = Math.max(0, this.unanswered - 1); // another page may have asked
    if (this.unanswered) return;
    this.answerDue.stop();
    this.el.removeAttribute("data-unanswered");
    this.isLate = false;
    this.draw();
  }

  onItemsChanged() {
    const items = this.model.get("items");
    const index = items.findIndex((item) => item.id === this.moved);
    if (index >= 0) this.status.textContent = `${items[index].name} is now ${index + 1} of ${items.length}`;
    this.moved = null;
    this.draw();
  }

  close() {
    this.answerDue.stop();
    this.stopListening();
  }
}

// A function, so that all views of one widget share the thumbnails.
export default () => {
  /** @type {Set<ImageList>} */
  const views = new Set();
  /** @type {Thumbnails} */
  let thumbnails;
  return {
    /** @param {{ model: Model }} context */
    initialize({ model }) {
      thumbnails = createThumbnails(model, () => {
        for (const view of views) view.draw();
      });
      return () => thumbnails.close();
    },
    /** @param {{ model: Model, el: HTMLElement }} context */
    render({ model, el }) {
      const view = new ImageList(model, el, thumbnails);
      views.add(view);
      return () => {
        views.delete(view);
        view.close();
      };
    },
  };
};
