// @ts-check
// Keeping the tunes beyond their expiry, which costs money: a button, and a question before anything is sent.
import { make, setText } from "../../utils/dom.js";
import { makeGalleryButton } from "./tile.js";

/** @typedef {{ state: "none" | "offered" | "sending" | "kept", question: string, price: string, problem: string }} KeepOffer */

export class KeepControl {
  question = make("span");
  problem = make("div", { className: "astria-pictures-error", attributes: { role: "alert" } });
  note = make("span", { className: "astria-pictures-muted", attributes: { role: "status" } });

  /** @param {(keep: boolean) => void} send */
  constructor(send) {
    this.send = send;
    this.state = "none";
    this.button = makeGalleryButton("Keep longer", () => this.press());
    this.confirm = makeGalleryButton("Keep", () => this.answer(true));
    this.cancel = makeGalleryButton("Cancel", () => this.answer(false));
    this.panel = make(
      "div",
      {
        className: "astria-pictures-question",
        hidden: true,
        attributes: { role: "group", "aria-label": "Keep longer" },
      },
      this.question,
      this.confirm,
      this.cancel,
    );
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.answer(false);
    });
  }

  press() {
    if (this.state === "kept") this.send(false);
    else if (this.state === "offered") this.ask();
  }

  ask() {
    this.panel.hidden = false;
    this.cancel.focus(); // the answer that costs nothing
  }

  /** @param {boolean} keep */
  answer(keep) {
    this.panel.hidden = true;
    this.button.focus();
    if (keep) this.send(true);
  }

  /** @param {Partial<KeepOffer>} offer */
  draw({ state = "none", question = "", price = "", problem = "" }) {
    this.state = state;
    this.button.hidden = state === "none";
    setText(this.button, { kept: "Stop keeping", sending: "Sending" }[/** @type {string} */ (state)] ?? "Keep longer");
    this.button.setAttribute("aria-disabled", String(state === "sending")); // it keeps the focus
    setText(this.note, state === "kept" ? `Kept longer, ${price}` : "");
    setText(this.problem, problem);
    setText(this.question, question);
    this.question.title = question;
    this.panel.setAttribute("aria-label", question || "Keep longer");
    setText(this.confirm, `Keep for ${price}`);
    if (state !== "offered") this.panel.hidden = true;
  }
}
