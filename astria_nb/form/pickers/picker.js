// @ts-check
// A searchable grid of cards. The kernel holds the cards, the choice and the thumbnails, which it sends as bytes.
// The messages are described in picker_messages.py.
import {
  arrange,
  closest,
  columnCount,
  createFrameTask,
  createTimer,
  createViewTracker,
  focusedElement,
  gridTarget,
  hasModifier,
  keepPlainKeys,
  listenTo,
  make,
  makeButton,
  setText,
} from "../../utils/dom.js";
import { CardOption, matchesQuery, statusText } from "./picker_card.js";

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

const REST = 100; // ms that the view has to stand still before thumbnails are asked for
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
  grid = make("div", { className: "astria-picker-grid", attributes: { role: "listbox" } });
  more = button("Load more", () => this.model.send({ kind: "load_more" }));
  scroller = make("div", { className: "astria-picker-scroll" }, this.grid, this.more);
  root = make("div", { attributes: { role: "group" } });

  /**
   * @param {Model} model
   * @param {HTMLElement} el
   */
  constructor(model, el) {
    this.model = model;
    /** @type {Map<string, CardOption>} */
    this.options = new Map();
    /** @type {WeakMap<Element, CardOption>} */
    this.optionOf = new WeakMap();
    this.drawing = createFrameTask(() => this.draw()); // the traits arrive one by one and belong together
    this.thumbnailRequest = createTimer(() => this.requestThumbnails(), REST);
    this.build();
    el.append(this.root);
    this.cardTracker = createViewTracker({ root: this.scroller }, () => this.thumbnailRequest.restart());
    this.endTracker = createViewTracker({ root: this.scroller, rootMargin: NEAR_END }, (changed) => {
      if (changed.some(({ isIntersecting }) => isIntersecting)) this.onEndReached();
    });
    const redraw = this.drawing.schedule;
    this.stopListening = listenTo(model, {
      "change:items": redraw,
      "change:more": redraw,
      "change:state": redraw,
      "change:failure": redraw,
      "change:empty": redraw,
      "change:chosen": () => this.markChosen(),
      "change:is_open": () => this.onOpened(),
      "msg:custom": (message, buffers) => this.onMessage(message, buffers),
    });
    this.root.hidden = !model.get("is_open");
    this.draw();
  }

  build() {
    const plural = `${this.model.get("noun")}s`;
    this.search.placeholder = `Search ${plural}`;
    this.search.setAttribute("aria-label", `Search ${plural}`);
    this.failure.append(this.failureText, this.retry);
    this.grid.setAttribute("aria-label", plural);
    this.grid.setAttribute("aria-multiselectable", String(this.model.get("multiple")));
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
    this.grid.addEventListener("click", (event) => {
      const option = this.optionOf.get(closest(event, "[role=option]") ?? this.grid);
      if (option) this.toggle(option);
    });
  }

  draw() {
    const cards = this.model.get("items");
    const oldCount = this.options.size;
    const continuesByKeyboard = focusedElement(this.root) === this.more && oldCount > 0 && oldCount < cards.length;
    const ids = new Set(cards.map((card) => card.id));
    for (const [id, option] of this.options) if (!ids.has(id)) this.remove(id, option);
    const options = cards.map((card) => this.options.get(card.id) ?? this.add(card));
    for (const [index, option] of options.entries()) {
      // A card that came with its thumbnail is newer than the one in the list.
      if (option.listed === cards[index]) continue;
      option.listed = cards[index];
      option.isRequested = option.url !== undefined;
      option.fill(cards[index]);
    }
    arrange(
      this.grid,
      options.map((option) => option.node),
    );
    this.markChosen();
    this.filter();
    if (continuesByKeyboard) this.focus(this.visible().find((option) => option === options[oldCount]));
    this.thumbnailRequest.restart();
  }

  /** @param {Card} card */
  add(card) {
    const option = new CardOption(card);
    this.options.set(card.id, option);
    this.optionOf.set(option.node, option);
    this.cardTracker.observe(option.node);
    return option;
  }

  /**
   * @param {string} id
   * @param {CardOption} option
   */
  remove(id, option) {
    this.cardTracker.unobserve(option.node);
    option.freeUrl();
    option.node.remove();
    this.options.delete(id);
  }

  markChosen() {
    const chosen = new Set(this.model.get("chosen"));
    for (const [id, { node }] of this.options) node.setAttribute("aria-selected", String(chosen.has(id)));
    this.clear.hidden = !this.model.get("multiple") || chosen.size === 0;
    this.drawStatus();
  }

  filter() {
    const query = this.search.value.trim();
    for (const option of this.options.values()) option.node.hidden = !matchesQuery(option.searchText, query);
    this.setTabStop(this.visible().find(({ node }) => node.tabIndex === 0));
    this.drawStatus();
  }

  /** The options in the order of the grid. */
  inOrder() {
    return [...this.grid.children].flatMap((node) => this.optionOf.get(node) ?? []);
  }

  visible() {
    return this.inOrder().filter(({ node }) => !node.hidden);
  }

  /**
   * Let the Tab key reach one card; arrow keys lead to the others.
   *
   * @param {CardOption} [option] default: the first that is chosen, else the first
   */
  setTabStop(option) {
    const visible = this.visible();
    const tabStop = option ?? visible.find(({ node }) => node.getAttribute("aria-selected") === "true") ?? visible[0];
    for (const candidate of this.options.values()) candidate.node.tabIndex = candidate === tabStop ? 0 : -1;
  }

  drawStatus() {
    const state = this.model.get("state");
    const hasMore = this.model.get("more");
    const visible = this.visible().length;
    setText(this.status, this.statusText(visible));
    this.failure.hidden = state !== "failed";
    this.failureText.textContent = this.model.get("failure");
    if (state === "failed" && focusedElement(this.root) === this.more) this.retry.focus();
    this.grid.setAttribute("aria-busy", String(state === "loading"));
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
    const [noun, state, count] = [model.get("noun"), model.get("state"), this.options.size];
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
   * @param {DataView[]} buffers
   */
  onMessage(message, buffers) {
    const option = message.kind === "card" ? this.options.get(message.card.id) : undefined;
    if (!option) return;
    if (buffers?.length) option.showThumbnail(buffers[0]);
    option.fill(message.card);
    option.isRequested = true;
  }

  requestThumbnails() {
    const inView = [...this.cardTracker.inView].flatMap((node) => this.optionOf.get(node) ?? []);
    const options = inView.filter((option) => option.needsThumbnail);
    for (const option of options) option.isRequested = true;
    if (options.length) this.model.send({ kind: "thumbnails", ids: options.map((option) => option.card.id) });
  }

  // While a search is typed, the end of the grid is reached at once: it would load all that the service has.
  onEndReached() {
    if (!this.search.value.trim()) this.model.send({ kind: "load_more" });
  }

  /** @param {CardOption} option */
  toggle(option) {
    const { id } = option.card;
    this.setTabStop(option);
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
    const option = this.optionOf.get(/** @type {Element} */ (event.target));
    if (event.key === "Escape") this.escape();
    else if (event.key === "ArrowDown" && event.target === this.search) this.focus(this.visible()[0]);
    else if (option && (event.key === "Enter" || event.key === " ")) this.toggle(option);
    else if (!option || !this.moveFrom(option, event.key)) return;
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

  /**
   * Move the focus with a key, and return whether it is one that moves.
   *
   * @param {CardOption} option
   * @param {string} key
   */
  moveFrom(option, key) {
    const options = this.visible();
    const columns = columnCount(options.map(({ node }) => node));
    const target = gridTarget(key, options.indexOf(option), options.length, columns);
    if (target === undefined) return false;
    this.focus(options[target]); // above the first row is the search
    return true;
  }

  /** @param {CardOption | undefined} option default: the search */
  focus(option) {
    if (!option) {
      this.search.focus();
      return;
    }
    this.setTabStop(option);
    option.node.focus();
  }

  close() {
    this.thumbnailRequest.stop();
    this.drawing.cancel();
    this.cardTracker.disconnect();
    this.endTracker.disconnect();
    this.stopListening();
    for (const option of this.options.values()) option.freeUrl();
  }
}

export default {
  /** @param {{ model: Model, el: HTMLElement }} context */
  render({ model, el }) {
    const picker = new Picker(model, el);
    return () => picker.close();
  },
};
