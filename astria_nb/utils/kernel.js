// @ts-check
// What a widget does while it has a kernel, and when it has none.
import { watchAnswers } from "./answers.js";
import { listenTo, make } from "./dom.js";

/**
 * Call back once an element is part of the page.
 *
 * @param {Element} element
 * @param {() => void} callback
 * @returns {() => void} cancels
 */
export function whenAttached(element, callback) {
  const waiting = setInterval(() => {
    if (!element.isConnected) return;
    clearInterval(waiting);
    callback();
  }, 50);
  return () => clearInterval(waiting);
}

/** @typedef {{ connect: (slot: () => void) => unknown, disconnect: (slot: () => void) => unknown }} Signal */

const DISCONNECTED = "jupyter-widgets-disconnected"; // ipywidgets' class of a widget without a kernel

/**
 * While a widget has a kernel, hide its saved output, the plain copy below it. Once it has none, because the notebook
 * was opened again, or is a page, or the kernel was restarted or shut down, or does not answer, turn its controls off
 * and say so, until it answers after all.
 *
 * @param {object} options
 * @param {{ on: Function, off: Function, send: (message: import("./answers.js").ToKernel, callbacks?: object) => unknown,
 *   widget_manager?: unknown }} options.model
 * @param {Element} options.view an element of the widget
 * @param {() => HTMLElement | null} options.findWidget the widget's own element, which is there once the view is
 * @param {number} options.savedNumber number of the saved output
 * @param {() => void} options.onLost
 * @param {() => void} options.onFound undoes what `onLost` did
 * @returns {() => void} stops
 */
export function followKernel({ model, view, findWidget, savedNumber, onLost, onFound }) {
  const page = view.ownerDocument.documentElement;
  const name = `astria-live-${savedNumber}`;
  let enableControls = () => {};
  let isLost = false;
  let stopWatching = () => {};
  const hideCopy = () => {
    // With JupyterLab's classes the copy's own style hides it; the page may hold other notebooks there.
    if (savedNumber && !view.closest(".jp-OutputArea")) page.classList.add(name);
  };
  const lose = () => {
    const widget = findWidget();
    if (!widget || isLost) return;
    isLost = true;
    page.classList.remove(name);
    widget.classList.add(DISCONNECTED); // anywidget does not; the copy's style asks for it
    onLost();
    enableControls = disableControls(widget);
  };
  const find = () => {
    if (!isLost) return;
    isLost = false;
    findWidget()?.classList.remove(DISCONNECTED);
    hideCopy();
    enableControls();
    onFound();
  };
  const cancel = whenAttached(view, () => {
    const widget = findWidget();
    if (widget?.classList.contains(DISCONNECTED)) {
      lose();
      return;
    }
    hideCopy();
    if (widget) stopWatching = watchAnswers({ model, widget, onSilence: lose, onAnswer: find });
  });
  const stopListening = listenTo(model, { comm_live_update: lose }); // when the kernel is restarted
  const manager = /** @type {{ kernel?: { disposed?: Signal } | null } | undefined} */ (model.widget_manager);
  const ended = manager?.kernel?.disposed; // JupyterLab's connection ends when the kernel is shut down
  ended?.connect(lose);
  return () => {
    ended?.disconnect(lose);
    cancel();
    stopWatching();
    stopListening();
    page.classList.remove(name);
  };
}

/**
 * @param {ParentNode} root
 * @returns {() => void} turns those on again that were on
 */
function disableControls(root) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const controls = root.querySelectorAll(":is(input, select, textarea, button):not(:disabled)");
  for (const control of controls) control.disabled = true;
  return () => {
    for (const control of controls) control.disabled = false;
  };
}

/** @param {string} what the widget */
export const makeKernelNote = (what) =>
  make("p", {
    className: "astria-no-kernel",
    textContent:
      `This ${what} has no kernel, so its buttons are off. ` +
      "Run the cell (Shift+Enter; in an app, load this page again) to use it.",
    attributes: { role: "status" },
  });
