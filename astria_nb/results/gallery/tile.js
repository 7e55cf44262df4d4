// @ts-check
// One tile of the gallery.
import { imageUrl, make, makeButton } from "../../utils/dom.js";

/**
 * @typedef {{ id: string, url: string }} Picture
 * @typedef {{ id: string, text: string, liked: boolean, error: string, pictures: Picture[] }} Card a prompt
 */

/**
 * @param {string} label
 * @param {() => void} onClick
 */
export const makeGalleryButton = (label, onClick) =>
  makeButton(label, onClick, "jupyter-button widget-button astria-pictures-button");

/**
 * Return a prompt without the tunes in front of it, for which there is no room below a small picture.
 *
 * @param {string} text
 */
export const captionOf = (text) => text.replace(/^(\s*<lora:[\w.:-]*>)+\s*/, "") || text;

/** A picture in the grid, or a failed prompt, which has none. */
export class Tile {
  text = make("div", { className: "astria-pictures-text" });
  node = make("div", { className: "astria-pictures-tile", attributes: { role: "listitem" } });
  error = make("div", { className: "astria-pictures-error" });
  /** @type {HTMLButtonElement | undefined} */
  likeButton = undefined;
  /** @type {string | undefined} address of the thumbnail */
  url = undefined;
  /** @type {boolean} whether the kernel could not send a thumbnail */
  isMissing = false;

  /**
   * @param {Card} card
   * @param {Picture | undefined} picture
   * @param {{ enlarge: (tile: Tile) => void, like: (promptId: string) => void }} actions
   */
  constructor(card, picture, actions) {
    this.card = card;
    this.picture = picture;
    this.id = picture?.id ?? card.id;
    if (picture) {
      this.frame = make("button", { type: "button", className: "astria-pictures-frame", tabIndex: -1 });
      this.frame.addEventListener("click", () => actions.enlarge(this));
      this.likeButton = makeGalleryButton("Like", () => actions.like(card.id));
      this.likeButton.tabIndex = -1;
      this.focusable = this.frame;
      this.node.append(this.frame, this.text, this.likeButton);
    } else {
      this.focusable = this.node;
      this.node.tabIndex = -1;
      this.node.classList.add("astria-pictures-failed");
      const title = make("strong", { textContent: "Failed" });
      this.node.append(make("div", { className: "astria-pictures-frame" }, title, this.error), this.text);
    }
  }

  /** @param {Card} card */
  fill(card) {
    this.card = card;
    this.text.textContent = captionOf(card.text);
    this.text.title = card.text;
    this.frame?.setAttribute("aria-label", `Enlarge: ${card.text}`);
    this.error.textContent = card.error;
  }

  /** @param {DataView | undefined} bytes undefined for a picture that could not be loaded */
  showThumbnail(bytes) {
    this.isMissing = bytes === undefined;
    if (!bytes) {
      this.frame?.replaceChildren("no preview");
      return;
    }
    this.freeUrl();
    this.url = imageUrl(bytes);
    this.frame?.replaceChildren(make("img", { alt: this.card.text, decoding: "async", src: this.url }));
  }

  /** @param {boolean} isReachable by the Tab key */
  setTabStop(isReachable) {
    this.focusable.tabIndex = isReachable ? 0 : -1;
    if (this.likeButton) this.likeButton.tabIndex = isReachable ? 0 : -1;
  }

  freeUrl() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = undefined;
  }
}
