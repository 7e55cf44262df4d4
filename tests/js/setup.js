// @ts-check
// What jsdom leaves out of a browser.
import { afterEach, beforeEach, vi } from "vitest";

/** @type {FakeIntersectionObserver[]} */
const observers = [];

class FakeIntersectionObserver {
  /** @param {(changed: { target: Element, isIntersecting: boolean }[]) => void} callback */
  constructor(callback) {
    this.callback = callback;
    /** @type {Set<Element>} */
    this.observed = new Set();
    observers.push(this);
  }

  /** @param {Element} element */
  observe(element) {
    this.observed.add(element);
  }

  /** @param {Element} element */
  unobserve(element) {
    this.observed.delete(element);
  }

  disconnect() {
    this.observed.clear();
  }
}

/**
 * Bring elements into view, or out of it.
 *
 * @param {Element[]} elements
 * @param {boolean} [isIntersecting]
 */
export function scrollTo(elements, isIntersecting = true) {
  for (const observer of observers) {
    const changed = elements.filter((element) => observer.observed.has(element));
    if (changed.length) observer.callback(changed.map((target) => ({ target, isIntersecting })));
  }
}

beforeEach(() => {
  let urlCount = 0;
  vi.stubGlobal("IntersectionObserver", FakeIntersectionObserver);
  URL.createObjectURL = () => {
    urlCount += 1;
    return `blob:${urlCount}`;
  };
  URL.revokeObjectURL = () => {};
  vi.stubGlobal("CSS", { escape: (/** @type {string} */ text) => text });
  HTMLDialogElement.prototype.showModal ??= /** @this {HTMLDialogElement} */ function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close ??= /** @this {HTMLDialogElement} */ function closeDialog() {
    this.open = false;
    this.dispatchEvent(new Event("close"));
  };
  Element.prototype.scrollIntoView ??= () => {};
});

afterEach(() => {
  observers.length = 0;
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
