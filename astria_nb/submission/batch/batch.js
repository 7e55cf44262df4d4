// @ts-check
// How far a batch is, and Cancel, which reaches the kernel beside the cell that runs.
import { listenTo, make, makeButton, setText } from "../../utils/dom.js";
import { followKernel } from "../../utils/kernel.js";

/**
 * @typedef {{
 *   headline: string,
 *   text: string,
 *   fraction: number,
 *   state: "running" | "cancelled" | "ended",
 *   can_cancel: boolean,
 *   saved_number: number,
 * }} State
 */
/**
 * @typedef {{ kind: "show", number: number }
 *   | { kind: "cancel" }} ToKernel
 */
/** @typedef {import("../../utils/dom.js").Model<State, never>} Model */
/**
 * A connection to the kernel of our own; `subshellStarted` is JupyterLab's.
 *
 * @typedef {{ open: Send, send: Send, subshellStarted?: Promise<void> }} Comm
 * @typedef {(message: ToKernel) => unknown} Send
 */

const TARGET = "astria_nb.batch";
const HINT_DELAY = 1500; // ms: by then a connection is there, if the kernel and the page can have one
const BY_INTERRUPT =
  "To stop, interrupt the kernel (■ in the toolbar): rows under way end, and the same call continues later.";
const NO_KERNEL =
  "The kernel has ended. Run the cell again (in an app, load this page again): it continues, and sends nothing twice.";

/**
 * Return a connection to the kernel that a cell which runs does not hold up, or null if there can be none.
 *
 * @param {Model} model
 * @returns {Promise<Comm | null>}
 */
export async function connect(model) {
  const manager = /** @type {{ kernel?: { createComm?: (target: string) => Comm } }} */ (model.widget_manager);
  const comm = manager.kernel?.createComm?.(TARGET);
  if (!comm) return null;
  try {
    await comm.subshellStarted; // never, if the kernel has none
    comm.open({ kind: "show", number: model.get("saved_number") });
  } catch {
    return null;
  }
  return comm;
}

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ model, el }) {
  const headline = make("p");
  const filled = make("div");
  const bar = make("div", {
    className: "astria-batch-bar",
    attributes: { role: "progressbar", "aria-label": "Submitting", "aria-valuemin": "0", "aria-valuemax": "100" },
  });
  const text = make("p", { className: "astria-batch-text" });
  const note = make("p", { className: "astria-batch-note", attributes: { role: "status" } });
  const cancel = makeButton("Cancel", press);
  /** @type {Comm | null} */
  let comm = null;
  let isHintDue = false;
  bar.append(filled);
  el.classList.add("astria-batch");
  el.tabIndex = -1; // takes the focus when Cancel goes away
  el.append(headline, make("div", { className: "astria-batch-line" }, bar, cancel), text, note);

  function press() {
    if (cancel.getAttribute("aria-disabled")) return;
    showCancelled();
    comm?.send({ kind: "cancel" });
  }

  function showCancelled() {
    setText(cancel, "Cancelling");
    cancel.setAttribute("aria-disabled", "true"); // it keeps the focus
  }

  function draw() {
    const isRunning = model.get("state") === "running";
    const percent = Math.round(model.get("fraction") * 100);
    setText(headline, model.get("headline"));
    filled.style.width = `${percent}%`;
    bar.setAttribute("aria-valuenow", String(percent));
    bar.setAttribute("aria-valuetext", model.get("text"));
    setText(text, model.get("text"));
    const isOver = model.get("state") === "ended";
    if (isOver && cancel === el.ownerDocument.activeElement) el.focus();
    cancel.hidden = isOver || !model.get("can_cancel") || !comm;
    if (!isRunning) showCancelled();
    text.hidden = isOver; // it is in the note, which is read out
    const hint = isRunning && cancel.hidden && isHintDue ? BY_INTERRUPT : "";
    setText(note, isOver ? model.get("text") : hint);
    note.classList.toggle("astria-batch-note", !isOver);
  }

  const hint = setTimeout(() => {
    isHintDue = true;
    draw();
  }, HINT_DELAY);
  if (model.get("state") === "running") {
    connect(model).then((connected) => {
      comm = connected;
      draw();
    });
  }
  const events = ["headline", "text", "fraction", "state", "can_cancel"].map((name) => [`change:${name}`, draw]);
  const stopListening = listenTo(model, Object.fromEntries(events));
  draw();
  const stopFollowing = followKernel({
    model,
    view: el,
    findWidget: () => el,
    savedNumber: model.get("saved_number"),
    onLost() {
      cancel.hidden = true;
      if (model.get("state") !== "ended") setText(note, NO_KERNEL);
    },
    onFound: draw,
  });
  return () => {
    clearTimeout(hint);
    stopFollowing();
    stopListening();
  };
}

export default { render };
