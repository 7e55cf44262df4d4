// @ts-check
// One card of a picker, and what the picker says about all of them.
import { imageUrl, make } from "../../utils/dom.js";

/** @typedef {{ id: string, title: string, lines: string[], picture: "some" | "none" }} Card */

/** A card in the grid with its thumbnail. */
export class CardOption {
  /** @param {Card} card */
  constructor(card) {
    this.card = card;
    /** @type {Card | undefined} the card as it stood in the list that was drawn last */
    this.listed = undefined;
    this.isRequested = false;
    this.searchText = "";
    /** @type {string | undefined} */
    this.url = undefined;
    this.frame = make("div", { className: "astria-picker-frame" });
    this.title = make("div", { className: "astria-picker-title" });
    this.lines = make("div", { className: "astria-picker-lines" });
    this.node = make(
      "div",
      { className: "astria-picker-card", tabIndex: -1, attributes: { role: "option" } },
      this.frame,
      this.title,
      this.lines,
    );
  }

  get needsThumbnail() {
    return !this.isRequested && !this.url && this.card.picture !== "none";
  }

  /** @param {Card} card */
  fill(card) {
    this.card = card;
    this.searchText = [card.id, card.title, ...card.lines].join("\n").toLowerCase();
    this.title.textContent = this.title.title = card.title;
    this.lines.replaceChildren(...card.lines.map((line) => make("div", { textContent: line })));
    if (!this.url) this.frame.textContent = card.picture === "none" ? "no preview" : "";
  }

  /** @param {DataView} bytes */
  showThumbnail(bytes) {
    this.freeUrl();
    this.url = imageUrl(bytes);
    this.frame.replaceChildren(make("img", { src: this.url, alt: "" })); // the title stands below it
  }

  freeUrl() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = undefined;
  }
}

/**
 * Return whether a text contains every word of a query.
 *
 * @param {string} text in lower case
 * @param {string} query
 */
export function matchesQuery(text, query) {
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/**
 * Return the line above the cards: how many are loaded, match and are chosen.
 *
 * @param {{ noun: string, count: number, visible: number, query: string, hasMore: boolean, selection: string }} status
 */
export function statusText({ noun, count, visible, query, hasMore, selection }) {
  const total = `${count} ${noun}${count === 1 ? "" : "s"}${hasMore ? " loaded" : ""}`;
  const matches = `${visible || "None"} of ${total} ${visible > 1 ? "match" : "matches"} “${query}”`;
  const remainder = query ? "; others may match once they are loaded" : "; there are more";
  return (query ? matches : total) + (hasMore ? remainder : "") + (selection ? ` · ${selection}` : "");
}
