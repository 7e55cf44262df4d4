// @ts-check
// Adds what ipywidgets leave out of a page: errors that screen readers find at their controls, a list of the
// errors that leads to each of them, and sections that open by keyboard. Holds no state of its own.
import { createFrameTask, listenTo, make, setText } from "../utils/dom.js";
import { followKernel, makeKernelNote, whenAttached } from "../utils/kernel.js";
import { holdClicks } from "./held_clicks.js";

/** @typedef {{ field: string, label: string, text: string }} ErrorEntry */
/** @typedef {{ problems: ErrorEntry[], saved_number: number, form_id: string }} State */
/** @typedef {{ kind: "focus", field: string }} ToKernel */
/** @typedef {import("../utils/dom.js").Model<State, ToKernel>} Model */

const CONTROLS = "input, select, textarea, button, [tabindex='0']";
const READ_OUT = [
  ".astria-submit-bar > .astria-note",
  ".astria-message",
  ".astria-saving",
  ".astria-list-count",
  ".astria-labels :is(.astria-note, .astria-error)",
].join(); // when it changes
const FOCUS_RETRIES = 40;
const RETRY_DELAY = 50; // ms
let formCount = 0;

/** @param {string} field */
export const fieldClass = (field) => `astria-at-${field.replaceAll(".", "-")}`;

/**
 * Tie each field's error to its controls.
 *
 * @param {Element} root
 * @param {string} formId
 * @param {ErrorEntry[]} problems
 */
function describeControls(root, formId, problems) {
  const invalid = new Set(problems.map((problem) => fieldClass(problem.field)));
  for (const field of root.querySelectorAll(".astria-field")) {
    const children = [...field.children];
    const error = children.find((child) => child.classList.contains("astria-error"));
    if (!error) continue;
    const name = [...field.classList].find((className) => className.startsWith("astria-at-")) ?? "";
    error.id = `${formId}-${name}`;
    const remark = children.find((child) => child.classList.contains("astria-remark"));
    if (remark) remark.id = `${error.id}-remark`;
    for (const control of field.querySelectorAll("input, select, textarea")) {
      control.setAttribute("aria-describedby", remark ? `${error.id} ${remark.id}` : error.id);
      if (invalid.has(name)) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
      nameControl(/** @type {HTMLInputElement} */ (control));
    }
  }
}

/**
 * A placeholder is visible, but it is not a name once an error describes its control.
 *
 * @param {HTMLInputElement} control
 */
function nameControl(control) {
  const hasLabel = [...(control.labels ?? [])].some((label) => label.textContent?.trim());
  if (hasLabel || control.hasAttribute("aria-label")) return;
  const name = control.closest(".astria-urls") ? "Image URLs, one per line" : control.placeholder;
  if (name) control.setAttribute("aria-label", name);
}

/**
 * Name the group of a question's buttons after it, and let Escape press the last of them.
 *
 * @param {Element} root
 * @param {string} formId
 */
function answerByKeyboard(root, formId) {
  for (const question of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".astria-repeat"))) {
    if (question.getAttribute("role") === "group" || !question.firstElementChild) continue;
    question.firstElementChild.id = `${formId}-repeat`;
    question.setAttribute("role", "group");
    question.setAttribute("aria-labelledby", `${formId}-repeat`);
    question.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      /** @type {HTMLElement | null} */ (question.querySelector("button:last-child"))?.click();
    });
  }
}

/** @param {Element} root */
function openSectionsByKeyboard(root) {
  for (const header of /** @type {NodeListOf<HTMLElement>} */ (
    root.querySelectorAll(".jupyter-widget-Collapse-header")
  )) {
    const isOpen = header.parentElement?.classList.contains("jupyter-widget-Collapse-open");
    header.setAttribute("aria-expanded", String(isOpen));
    if (header.getAttribute("role") === "button") continue;
    header.setAttribute("role", "button");
    header.querySelector("i")?.setAttribute("aria-hidden", "true");
    header.tabIndex = 0;
    header.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      header.click();
    });
  }
}

/**
 * Focus the first visible control of a field, and wait for the kernel if it has to open the field's section first.
 *
 * @param {Element} root
 * @param {string} name
 */
export function focusField(root, name, retries = FOCUS_RETRIES) {
  const field = root.querySelector(`.${CSS.escape(fieldClass(name))}`);
  const controls = /** @type {HTMLElement[]} */ ([...(field?.querySelectorAll(CONTROLS) ?? [])]);
  const control = controls.find((candidate) => candidate.offsetParent !== null);
  if (control) {
    field?.scrollIntoView({ block: "nearest" });
    control.focus();
  } else if (retries > 0) {
    setTimeout(() => focusField(root, name, retries - 1), RETRY_DELAY);
  }
}

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ model, el }) {
  formCount += 1;
  const formId = `astria-form-${formCount}`;
  const list = make("ul");
  const title = make("p");
  el.className = "astria-summary";
  el.append(title, list);
  let drawn = "";

  const completeForm = createFrameTask(() => {
    const root = el.closest(".astria-form");
    if (!root) return;
    observer.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    describeControls(root, formId, model.get("problems"));
    openSectionsByKeyboard(root);
    answerByKeyboard(root, formId);
    for (const line of root.querySelectorAll(READ_OUT)) line.setAttribute("role", "status");
    for (const scrollable of root.querySelectorAll(".astria-row .widget-html-content, .astria-pictures")) {
      /** @type {HTMLElement} */ (scrollable).tabIndex = 0;
    }
    // Images that ipywidgets draw: the text beside them says what they show.
    for (const image of root.querySelectorAll("img:not([alt])")) image.setAttribute("alt", "");
  });
  const observer = new MutationObserver(completeForm.schedule);

  /** @param {ErrorEntry} entry */
  function createLine({ field, label, text }) {
    const link = make("a", { href: "#", textContent: label });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      model.send({ kind: "focus", field });
      const root = el.closest(".astria-form");
      if (root) focusField(root, field);
    });
    return make("li", {}, link, ` ${text}`);
  }

  function draw() {
    const problems = model.get("problems");
    completeForm.schedule();
    const content = JSON.stringify(problems);
    if (content === drawn) return; // the focus may be in the list
    drawn = content;
    el.hidden = problems.length === 0;
    setText(title, problems.length === 1 ? "1 problem to fix" : `${problems.length} problems to fix`);
    list.replaceChildren(...problems.map(createLine));
  }

  const stopListening = listenTo(model, { "change:problems": draw });
  draw();
  let stopHolding = () => {};
  const startHolding = () => {
    const root = el.closest(".astria-form");
    stopHolding();
    if (root) stopHolding = holdClicks(model, model.get("form_id"), root);
  };
  const stopWaiting = whenAttached(el, () => {
    completeForm.schedule();
    startHolding();
  });
  const stopFollowing = followKernel({
    model,
    view: el,
    findWidget: () => el.closest(".astria-form"),
    savedNumber: model.get("saved_number"),
    onLost() {
      stopHolding(); // a click that waits for this kernel is not for the next one
      el.hidden = false;
      el.replaceChildren(makeKernelNote("form"));
    },
    onFound() {
      startHolding();
      el.replaceChildren(title, list);
      drawn = "";
      draw();
    },
  });
  return () => {
    stopWaiting();
    stopHolding();
    stopFollowing();
    completeForm.cancel();
    observer.disconnect();
    stopListening();
  };
}

export default { render };
