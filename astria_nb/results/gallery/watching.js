// @ts-check
// Whether the kernel polls the service for more pictures: a button to stop it, and one to check again.
import { focusedElement } from "../../utils/dom.js";
import { makeGalleryButton } from "./tile.js";

/** @typedef {"finished" | "watching" | "stopped" | "failed"} WatchState */

export class WatchControl {
  /** @param {(kind: "stop" | "resume") => void} send */
  constructor(send) {
    this.stop = makeGalleryButton("Stop watching", () => send("stop"));
    this.resume = makeGalleryButton("Check again", () => send("resume"));
    this.buttons = [this.stop, this.resume];
  }

  /**
   * @param {WatchState} state
   * @param {HTMLElement} root of the gallery
   */
  draw(state, root) {
    const focused = this.buttons.find((button) => button === focusedElement(root));
    this.stop.hidden = state !== "watching";
    this.resume.hidden = state !== "stopped" && state !== "failed";
    // Keyboard users continue from here and not from the top of the page.
    if (focused?.hidden) (this.buttons.find((button) => !button.hidden) ?? root).focus();
  }

  hide() {
    this.stop.hidden = this.resume.hidden = true;
  }
}
