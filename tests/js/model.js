// @ts-check
// Stands in for a widget's model, and for the kernel behind it.
import { onTestFinished } from "vitest";

/**
 * @template {Record<string, any>} State
 * @param {State} state
 */
export function createModel(state) {
  const values = new Map(Object.entries(state));
  /** @type {Map<string, Set<Function>>} */
  const listeners = new Map();
  const emit = (/** @type {string} */ name, /** @type {unknown[]} */ ...details) => {
    for (const listener of [...(listeners.get(name) ?? [])]) listener(...details);
  };
  /** @type {any[]} */
  const sent = [];
  /** @type {any[]} */
  const buffers = [];
  /** @type {any[]} */
  const pings = [];
  const model = {
    get: (/** @type {string} */ name) => values.get(name),
    set(/** @type {string} */ name, /** @type {unknown} */ value) {
      values.set(name, value);
      emit(`change:${name}`);
    },
    save_changes() {},
    send(/** @type {any} */ message, /** @type {any} */ callbacks, /** @type {any[]} */ attached = []) {
      if (message.kind === "ping") {
        pings.push(callbacks);
        return;
      }
      sent.push(message);
      buffers.push(...attached);
    },
    on(/** @type {string} */ name, /** @type {Function} */ listener) {
      listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
    },
    off(/** @type {string} */ name, /** @type {Function} */ listener) {
      listeners.get(name)?.delete(listener);
    },
    widget_manager: { get_model: () => Promise.reject(new Error("there is one model only")) },
  };
  return {
    /** @type {any} */
    model,
    /** messages to the kernel */
    sent,
    /** the questions whether the widget is still there, each as what is called with the kernel's status */
    pings,
    /** the bytes that were sent with them */
    buffers,
    /** Take the messages that were sent since the last call. */
    take: () => sent.splice(0),
    /** Play the kernel: send a message to the browser. */
    receive(/** @type {{ kind: string } & Record<string, unknown>} */ message, /** @type {DataView[]} */ bytes = []) {
      emit("msg:custom", message, bytes);
    },
    emit,
  };
}

/**
 * Show a widget on the page until the end of the test.
 *
 * @param {any} widget the default export of its script
 * @param {any} model
 */
export async function show(widget, model) {
  const definition = typeof widget === "function" ? await widget() : widget;
  const el = document.createElement("div");
  document.body.append(el);
  const destroy = await definition.initialize?.({ model });
  const close = await definition.render({ model, el });
  onTestFinished(() => {
    close?.();
    destroy?.();
  });
  return { el, close, definition };
}

/**
 * Press a key on the focused element, and return whether the widget made use of it.
 *
 * @param {string} key
 * @param {KeyboardEventInit} [modifiers]
 */
export function press(key, modifiers = {}) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...modifiers });
  return !(document.activeElement ?? document.body).dispatchEvent(event);
}

/**
 * @param {ParentNode} root
 * @param {string} selector
 */
export const all = (root, selector) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(selector)]);

/**
 * @param {ParentNode} root
 * @param {string} text
 */
export function button(root, text) {
  const match = all(root, "button").find((candidate) => candidate.textContent === text);
  if (!match) throw new Error(`no button ${text}`);
  return match;
}

/** Wait until frames that were asked for are drawn. */
export const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
