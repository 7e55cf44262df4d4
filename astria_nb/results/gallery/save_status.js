// @ts-check
// How far a download is: a button that starts or cancels it, a bar, and a sentence at its end.
import { make, setText } from "../../utils/dom.js";
import { makeGalleryButton } from "./tile.js";

/** @typedef {import("./saver.js").SaveStatus} SaveStatus */

export class SaveControl {
  /** @type {(() => void) | undefined} while a download is under way */
  cancel = undefined;
  bar = make("progress", { max: 1, attributes: { "aria-label": "Download" } });
  progress = make("span"); // not read out: it changes with every piece
  result = make("span", { attributes: { role: "status" } });
  problem = make("span", { className: "astria-pictures-error", attributes: { role: "alert" } });

  /**
   * @param {string} label of the button
   * @param {(onStatus: (status: SaveStatus) => void) => () => void} start returns a function that cancels it
   */
  constructor(label, start) {
    this.label = label;
    this.start = start;
    this.button = makeGalleryButton(label, () => this.toggle());
    this.line = make("div", { className: "astria-pictures-save" }, this.bar, this.progress, this.result, this.problem);
    this.clear();
  }

  toggle() {
    if (this.cancel) this.cancel();
    else this.begin();
  }

  begin() {
    this.bar.value = 0;
    this.cancel = this.start((status) => this.show(status));
  }

  /** @param {SaveStatus} status */
  show({ text, fraction, isActive, isProblem }) {
    if (!isActive) this.cancel = undefined;
    // One button for both: it keeps the focus.
    setText(this.button, isActive ? "Cancel download" : this.label);
    this.bar.hidden = !isActive;
    if (fraction !== undefined) this.bar.value = fraction;
    setText(this.progress, isActive ? text : "");
    setText(this.result, isActive || isProblem ? "" : text);
    setText(this.problem, isProblem ? text : "");
    this.line.hidden = false;
  }

  /** Forget the last result. */
  clear() {
    this.line.hidden = true;
  }
}
