// @ts-check
// The cards of a picker: which of them match the search, and how keys lead from one to another.
import { arrange, closest, columnCount, createTimer, createViewTracker, gridTarget, make } from "../../utils/dom.js";
import { CardOption, matchesQuery } from "./picker_card.js";

/** @typedef {import("./picker_card.js").Card} Card */
/**
 * @typedef {object} GridActions
 * @property {(ids: string[]) => void} requestThumbnails
 * @property {(id: string) => void} choose called when a card is clicked, or Enter or Space is pressed on it
 * @property {() => void} leave called when an arrow leads out of the first row
 */

const REST = 100; // ms that the view has to stand still before thumbnails are asked for

export class CardGrid {
  element = make("div", { className: "astria-picker-grid", attributes: { role: "listbox" } });
  /** @type {Map<string, CardOption>} by id */
  options = new Map();
  /** @type {WeakMap<Element, CardOption>} */
  #optionOf = new WeakMap();
  #thumbnailRequest = createTimer(() => this.#requestThumbnails(), REST);

  /**
   * @param {Element} scroller
   * @param {GridActions} actions
   */
  constructor(scroller, actions) {
    this.actions = actions;
    this.tracker = createViewTracker({ root: scroller }, this.#thumbnailRequest.restart);
    this.element.addEventListener("click", (event) => {
      const option = this.#optionOf.get(closest(event, "[role=option]") ?? this.element);
      if (option) this.#choose(option);
    });
  }

  /** @param {Card[]} cards */
  draw(cards) {
    const ids = new Set(cards.map((card) => card.id));
    for (const [id, option] of this.options) if (!ids.has(id)) this.#remove(id, option);
    const options = cards.map((card) => this.options.get(card.id) ?? this.#add(card));
    for (const [index, option] of options.entries()) {
      // A card that came with its thumbnail is newer than the one in the list.
      if (option.listed === cards[index]) continue;
      option.listed = cards[index];
      option.isRequested = option.url !== undefined;
      option.fill(cards[index]);
    }
    arrange(
      this.element,
      options.map((option) => option.node),
    );
    this.#thumbnailRequest.restart();
  }

  /** @param {Card} card */
  #add(card) {
    const option = new CardOption(card);
    this.options.set(card.id, option);
    this.#optionOf.set(option.node, option);
    this.tracker.observe(option.node);
    return option;
  }

  /**
   * @param {string} id
   * @param {CardOption} option
   */
  #remove(id, option) {
    this.tracker.unobserve(option.node);
    option.freeUrl();
    option.node.remove();
    this.options.delete(id);
  }

  /**
   * @param {Card} card with its details
   * @param {DataView | undefined} thumbnail
   */
  update(card, thumbnail) {
    const option = this.options.get(card.id);
    if (!option) return;
    if (thumbnail) option.showThumbnail(thumbnail);
    option.fill(card);
    option.isRequested = true;
  }

  /** @param {string[]} chosen */
  mark(chosen) {
    for (const [id, { node }] of this.options) node.setAttribute("aria-selected", String(chosen.includes(id)));
  }

  /** @param {string} query */
  filter(query) {
    for (const option of this.options.values()) option.node.hidden = !matchesQuery(option.searchText, query);
    this.#setTabStop(this.visible().find(({ node }) => node.tabIndex === 0));
  }

  /** The options that match the search, in the order of the grid. */
  visible() {
    const options = [...this.element.children].flatMap((node) => this.#optionOf.get(node) ?? []);
    return options.filter(({ node }) => !node.hidden);
  }

  /**
   * Let the Tab key reach one card; arrow keys lead to the others.
   *
   * @param {CardOption} [option] default: the first that is chosen, else the first
   */
  #setTabStop(option) {
    const visible = this.visible();
    const tabStop = option ?? visible.find(({ node }) => node.getAttribute("aria-selected") === "true") ?? visible[0];
    for (const candidate of this.options.values()) candidate.node.tabIndex = candidate === tabStop ? 0 : -1;
  }

  /** @param {CardOption} option */
  #choose(option) {
    this.#setTabStop(option);
    this.actions.choose(option.card.id);
  }

  /** @param {CardOption} option */
  focus(option) {
    this.#setTabStop(option);
    option.node.focus();
  }

  /**
   * Follow a key that was pressed on a card, and return whether it has a meaning there.
   *
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    const option = this.#optionOf.get(/** @type {Element} */ (event.target));
    if (!option) return false;
    if (event.key === "Enter" || event.key === " ") {
      this.#choose(option);
      return true;
    }
    const options = this.visible();
    const columns = columnCount(options.map(({ node }) => node));
    const target = gridTarget(event.key, options.indexOf(option), options.length, columns);
    if (target === undefined) return false;
    if (target < 0) this.actions.leave();
    else this.focus(options[target]);
    return true;
  }

  #requestThumbnails() {
    const inView = [...this.tracker.inView].flatMap((node) => this.#optionOf.get(node) ?? []);
    const options = inView.filter((option) => option.needsThumbnail);
    for (const option of options) option.isRequested = true;
    if (options.length) this.actions.requestThumbnails(options.map((option) => option.card.id));
  }

  close() {
    this.#thumbnailRequest.stop();
    this.tracker.disconnect();
    for (const option of this.options.values()) option.freeUrl();
  }
}
