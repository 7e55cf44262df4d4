// @ts-check
// A click on a button of the form reaches Python after what was typed before it, on whatever thread Python reads them.
import { closest, make } from "../utils/dom.js";

/**
 * A model of ipywidgets, as far as it is read here.
 *
 * @typedef {object} WidgetModel
 * @property {(name: string) => unknown} get
 * @property {number} [_pending_msgs] changes that were sent, and that Python has not answered yet
 */

// Cancelling an upload does not wait.
const BUTTON = ":is(button.jupyter-button, button.widget-button):not(.astria-cancel)";
const POLL_INTERVAL = 20; // ms
const NOTE_DELAY = 500; // ms

/**
 * Return whether Python still has to answer a change of a widget or of one inside it. What else was typed waits in the
 * page until then.
 *
 * @param {WidgetModel} model
 * @returns {boolean}
 */
function hasPendingEdits(model) {
  const children = model.get("children");
  return (model._pending_msgs ?? 0) > 0 || (Array.isArray(children) && children.some(hasPendingEdits));
}

/**
 * Hold a click on a button of a widget back until Python has answered all changes, also those that a script asked it
 * for (`data-unanswered`). ipywidgets send a click at once, but a text only when Python has answered its first letters;
 * and a kernel with subshells may read the click on another thread, while a cell that runs keeps it from reading the
 * text. What was paid for would then not be what was typed.
 *
 * @param {{ widget_manager?: { get_model?: (id: string) => Promise<WidgetModel> } }} context the model of a script
 * @param {string} id of the widget
 * @param {Element} element of the widget
 * @returns {() => void} to stop
 */
export function holdClicks(context, id, element) {
  /** @type {WidgetModel | undefined} */
  let widget;
  /** @type {Set<HTMLElement>} */
  const held = new Set();
  const note = make("span", {
    className: "astria-note",
    textContent: "Waiting for the kernel to finish what it runs",
    attributes: { role: "status" },
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let poll;
  let waited = 0;

  const find = async () => {
    widget = await context.widget_manager?.get_model?.(id);
  };
  find().catch(() => {}); // a page without a kernel has nobody to wait for

  const isWaiting = () =>
    widget !== undefined && (hasPendingEdits(widget) || element.querySelector("[data-unanswered]") !== null);

  const release = () => {
    if (isWaiting()) {
      waited += POLL_INTERVAL;
      if (waited === NOTE_DELAY) [...held].at(-1)?.after(note);
      poll = setTimeout(release, POLL_INTERVAL);
      return;
    }
    const buttons = [...held];
    stop();
    for (const button of buttons) button.click();
  };
  const stop = () => {
    clearTimeout(poll);
    note.remove();
    held.clear();
    poll = undefined;
    waited = 0;
  };
  /** @param {Event} event */
  const hold = (event) => {
    const button = closest(event, BUTTON);
    if (!button || !isWaiting()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held.add(button);
    poll ??= setTimeout(release, POLL_INTERVAL);
  };
  element.addEventListener("click", hold, true);
  return () => {
    element.removeEventListener("click", hold, true);
    stop();
  };
}
