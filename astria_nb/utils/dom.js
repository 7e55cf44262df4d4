// @ts-check
// What the scripts of our widgets share. `astria_nb.utils.script` places this module in front of each of them.
// Text reaches the page through `textContent` and text nodes only, never as HTML.

/**
 * A widget's model with typed custom messages. Each message is an object with a `kind`, both ways. Any widget may ask
 * whether the kernel has it.
 *
 * @template {Record<string, any>} State
 * @template {{ kind: string }} ToKernel
 * @typedef {Omit<import("@anywidget/types").AnyModel<State>, "send"> & {
 *   send: (
 *     message: ToKernel | import("./answers.js").ToKernel, callbacks?: object, buffers?: ArrayBuffer[],
 *   ) => void,
 * }} Model
 */

/** @typedef {Record<string, (...values: any[]) => void>} Listeners by the name of the event */

/**
 * Create an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<Omit<HTMLElementTagNameMap[Tag], "attributes">> & { attributes?: Record<string, string> }} [options]
 *   properties of the element, and its attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  const { attributes = {}, ...properties } = options;
  Object.assign(element, properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @param {string} label
 * @param {() => void} onClick
 * @param {string} [className]
 */
export function makeButton(label, onClick, className = "") {
  const button = make("button", { type: "button", className, textContent: label });
  button.addEventListener("click", onClick);
  return button;
}

/**
 * Set a text unless it is there already: a live region that is written again is read out again.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Return the nearest element around an event's target that matches a selector.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest(event, selector) {
  return /** @type {Element} */ (event.target).closest(selector);
}

/**
 * Return the focused element of the document or shadow root that holds a node.
 *
 * @param {Node} node
 */
export function focusedElement(node) {
  return /** @type {Document | ShadowRoot} */ (node.getRootNode()).activeElement ?? null;
}

/**
 * Return an address for the bytes of an image; free it with `URL.revokeObjectURL`.
 *
 * @param {DataView} bytes
 * @param {string} [mediaType]
 */
export function imageUrl(bytes, mediaType = "image/jpeg") {
  return URL.createObjectURL(new Blob([/** @type {BlobPart} */ (bytes)], { type: mediaType }));
}

/**
 * Return how a shortcut is written on this computer.
 *
 * @param {string} letter
 */
export function shortcut(letter) {
  return /Mac|iP(hone|ad)/.test(navigator.platform) ? `\u2318${letter}` : `Ctrl-${letter}`;
}

/** @param {KeyboardEvent | MouseEvent} event */
export function hasModifier(event) {
  return event.altKey || event.ctrlKey || event.metaKey;
}

/**
 * Keep plain keys from the notebook, where a letter is a command such as "cut the cell".
 *
 * @param {HTMLElement} root
 */
export function keepPlainKeys(root) {
  root.addEventListener("keydown", (event) => {
    if (!hasModifier(event)) event.stopPropagation();
  });
}

/**
 * Return the step that an arrow key makes in a list: -1, 1, or 0 for another key.
 *
 * @param {string} key
 */
export function arrowStep(key) {
  if (key === "ArrowLeft" || key === "ArrowUp") return -1;
  return key === "ArrowRight" || key === "ArrowDown" ? 1 : 0;
}

/**
 * Return where a key leads from one place of a grid: -1 is above the first row, undefined for a key that leads nowhere.
 *
 * @param {string} key
 * @param {number} index
 * @param {number} count
 * @param {number} columns
 */
export function gridTarget(key, index, count, columns) {
  const last = count - 1;
  switch (key) {
    case "ArrowLeft":
      return Math.max(0, index - 1);
    case "ArrowRight":
      return Math.min(last, index + 1);
    case "ArrowUp":
      return Math.max(-1, index - columns);
    case "ArrowDown": // a last row that is short is reached from everywhere in the row above it
      return Math.floor(index / columns) < Math.floor(last / columns) ? Math.min(index + columns, last) : index;
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return undefined;
  }
}

/**
 * Return how many elements stand in the first row.
 *
 * @param {HTMLElement[]} elements
 */
export function columnCount(elements) {
  return elements.filter((element) => element.offsetTop === elements[0].offsetTop).length;
}

/**
 * Put elements into a parent in this order, and move only those that stand elsewhere: moving one takes its focus.
 *
 * @param {Element} parent
 * @param {Element[]} elements
 */
export function arrange(parent, elements) {
  for (const [index, element] of elements.entries()) {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  }
}

/**
 * Return a timer that calls back once after each start.
 *
 * @param {() => void} callback
 * @param {number} delay milliseconds
 */
export function createTimer(callback, delay) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timeout;
  const stop = () => {
    clearTimeout(timeout);
    timeout = undefined;
  };
  const restart = () => {
    stop();
    timeout = setTimeout(() => {
      timeout = undefined;
      callback();
    }, delay);
  };
  return { start: () => void (timeout ?? restart()), restart, stop };
}

/**
 * Return a task that runs once in the next frame, however often it is scheduled before that.
 *
 * @param {() => void} callback
 */
export function createFrameTask(callback) {
  /** @type {number | undefined} */
  let frame;
  return {
    schedule() {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        callback();
      });
    },
    cancel() {
      if (frame !== undefined) cancelAnimationFrame(frame);
      frame = undefined;
    },
  };
}

/**
 * Add listeners to a model, and return a function that removes them.
 *
 * @param {{ on: Function, off: Function }} model
 * @param {Listeners} listeners
 */
export function listenTo(model, listeners) {
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
  };
}

/**
 * Keep track of which elements are in view.
 *
 * @param {IntersectionObserverInit} options
 * @param {(changed: { target: Element, isIntersecting: boolean }[]) => void} onChange
 */
export function createViewTracker(options, onChange) {
  /** @type {Set<Element>} */
  const inView = new Set();
  const observer = new IntersectionObserver((changed) => {
    for (const { target, isIntersecting } of changed) inView[isIntersecting ? "add" : "delete"](target);
    onChange(changed);
  }, options);
  return {
    inView,
    observe: (/** @type {Element} */ element) => observer.observe(element),
    unobserve(/** @type {Element} */ element) {
      observer.unobserve(element);
      inView.delete(element);
    },
    disconnect: () => observer.disconnect(),
  };
}
