// @ts-check
// A searchable grid of cards. The kernel holds the cards, the choice and the thumbnails, which it sends as bytes.
// The messages are described in picker_messages.py.
import {
  createFrameTask,
  createViewTracker,
  focusedElement,
  hasModifier,
  keepPlainKeys,
  listenTo,
  make,
  makeButton,
  setText,
} from "../../utils/dom.js";
import { CardGrid } from "./card_grid.js";
import { statusText } from "./picker_card.js";

/** @typedef {import("./picker_card.js").Card} Card */
/**
 * @typedef {{ noun: string, multiple: boolean, empty: string, unchosen: string, is_open: boolean, chosen: string[],
 *   items: Card[], more: boolean, state: "idle" | "loading" | "ready" | "failed", failure: string }} State
 */
/**
 * @typedef {{ kind: "thumbnails", ids: string[] } | { kind: "load_more" } | { kind: "reload" }} ToKernel
 * @typedef {{ kind: "card", card: Card }} FromKernel
 */
/** @typedef {import("../../utils/dom.js").Model<State, ToKernel>} Model */

const NEAR_END = "0px 0px 240px 0px"; // the end counts as reached when it is this close below the view

const button = (/** @type {string} */ label, /** @type {() => void} */ onClick) =>
  makeButton(label, onClick, "jupyter-button widget-button astria-picker-button");

class Picker {
  search = make("input", { type: "search", className: "astria-picker-search", autocomplete: "off", spellcheck: false });
  status = make("div", { className: "astria-picker-status", attributes: { role: "status" } });
  clear = button("Clear selection", () => {
    this.search.focus(); // the button is about to hide
    this.choose([]);
  });
  failureText = make("span");
  retry = button("Retry", () => {
    this.search.focus();
    this.model.send({ kind: "load_more" });
  });
  failure = make("div", { className: "astria-picker-failure", attributes: { role: "alert" } });
  more = button("Load more", () => this.model.send({ kind: "load_more" }));
  scroller = make("div", { className: "astria-picker-scroll" });
  root = make("div", { attributes: { role: "group" } });

  /**
   * @param {Model} model
   * @param {HTMLElement} el
   */
  constructor(model, el) {
    this.model = model;
    this.drawing = createFrameTask(() => this.draw()); // the traits arrive one by one and belong together
    this.grid = new CardGrid(this.scroller, {
      requestThumbnails: (ids) => model.send({ kind: "thumbnails", ids }),
      choose: (id) => this.toggle(id),
      leave: () => this.search.focus(),
    });
    this.endTracker = createViewTracker({ root: this.scroller, rootMargin: NEAR_END }, (changed) => {
      if (changed.some(({ isIntersecting }) => isIntersecting)) this.onEndReached();
    });
    this.build();
    el.append(this.root);
    const redraw = this.drawing.schedule;
    this.stopListening = listenTo(model, {
      "change:items": redraw,
      "change:more": redraw,
      "change:state": redraw,
      "change:failure": redraw,
      "change:empty": redraw,
      "change:chosen": () => this.markChosen(),
      "change:is_open": () => this.onOpened(),
      "msg:custom": (message, buffers) => this.onMessage(message, buffers?.[0]),
    });
    this.root.hidden = !model.get("is_open");
    this.draw();
  }

  build() {
    const plural = `${this.model.get("noun")}s`;
    this.search.placeholder = `Search ${plural}`;
    this.search.setAttribute("aria-label", `Search ${plural}`);
    this.grid.element.setAttribute("aria-label", plural);
    this.grid.element.setAttribute("aria-multiselectable", String(this.model.get("multiple")));
    this.failure.append(this.failureText, this.retry);
    this.scroller.append(this.grid.element, this.more);
    this.root.className = `astria-picker astria-picker-${plural}`;
    this.root.setAttribute("aria-label", `Browse ${plural}`);
    const reload = button("Reload", () => this.model.send({ kind: "reload" }));
    this.root.append(
      make("div", { className: "astria-picker-head" }, this.search, reload),
      make("div", { className: "astria-picker-line" }, this.status, this.clear),
      this.failure,
      this.scroller,
    );
    keepPlainKeys(this.root);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.search.addEventListener("input", () => this.filter());
  }

  draw() {
    const cards = this.model.get("items");
    const oldCount = this.grid.options.size;
    const continuesByKeyboard = focusedElement(this.root) === this.more && oldCount > 0 && oldCount < cards.length;
    this.grid.draw(cards);
    this.markChosen();
    this.filter();
    if (continuesByKeyboard) this.focus(this.grid.visible().find((option) => option.listed === cards[oldCount]));
  }

  markChosen() {
    const chosen = this.model.get("chosen");
    this.grid.mark(chosen);
    this.clear.hidden = !this.model.get("multiple") || chosen.length === 0;
    this.drawStatus();
  }

  filter() {
    this.grid.filter(this.search.value.trim());
    this.drawStatus();
  }

  drawStatus() {
    const state = this.model.get("state");
    const hasMore = this.model.get("more");
    const visible = this.grid.visible().length;
    setText(this.status, this.statusText(visible));
    this.failure.hidden = state !== "failed";
    this.failureText.textContent = this.model.get("failure");
    if (state === "failed" && focusedElement(this.root) === this.more) this.retry.focus();
    this.grid.element.setAttribute("aria-busy", String(state === "loading"));
    this.scroller.hidden = visible === 0 && !hasMore;
    this.more.hidden = state === "failed" || !hasMore;
    this.more.textContent = state === "loading" ? "Loading" : "Load more";
    // The observer reports an end that stays in view only once, unless it is observed again.
    this.endTracker.unobserve(this.more);
    if (state === "ready") this.endTracker.observe(this.more);
  }

  /** @param {number} visible */
  statusText(visible) {
    const { model } = this;
    const [noun, state, count] = [model.get("noun"), model.get("state"), this.grid.options.size];
    if (state === "loading" || state === "idle") return `Loading ${noun}s`;
    if (count === 0) return state === "failed" ? "" : model.get("empty");
    const chosenCount = model.get("multiple") ? model.get("chosen").length : 0;
    const selection = chosenCount ? `${chosenCount} chosen` : model.get("unchosen");
    const query = this.search.value.trim();
    return statusText({ noun, count, visible, query, hasMore: model.get("more") && state === "ready", selection });
  }

  onOpened() {
    this.root.hidden = !this.model.get("is_open");
    if (!this.root.hidden) this.search.focus();
  }

  /**
   * @param {FromKernel} message
   * @param {DataView | undefined} thumbnail
   */
  onMessage(message, thumbnail) {
    if (message.kind === "card") this.grid.update(message.card, thumbnail);
  }

  // While a search is typed, the end of the grid is reached at once: it would load all that the service has.
  onEndReached() {
    if (!this.search.value.trim()) this.model.send({ kind: "load_more" });
  }

  /** @param {string} id */
  toggle(id) {
    if (!this.model.get("multiple")) {
      this.model.set("is_open", false);
      this.choose([id]);
      return;
    }
    const chosen = this.model.get("chosen");
    this.choose(chosen.includes(id) ? chosen.filter((chosenId) => chosenId !== id) : [...chosen, id]);
  }

  /** @param {string[]} ids */
  choose(ids) {
    this.model.set("chosen", ids);
    this.model.save_changes();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (hasModifier(event)) return;
    if (event.key === "Escape") this.escape();
    else if (event.key === "ArrowDown" && event.target === this.search) this.focus(this.grid.visible()[0]);
    else if (!this.grid.onKey(event)) return;
    event.preventDefault();
  }

  escape() {
    if (this.search.value) {
      this.search.value = "";
      this.filter();
      this.search.focus();
    } else {
      this.model.set("is_open", false);
      this.model.save_changes();
    }
  }

  /** @param {import("./picker_card.js").CardOption | undefined} option default: the search */
  focus(option) {
    if (option) this.grid.focus(option);
    else this.search.focus();
  }

  close() {
    this.drawing.cancel();
    this.endTracker.disconnect();
    this.stopListening();
    this.grid.close();
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const picker = new Picker(model, el);
    return () => picker.close();
  },
};
