// @ts-check
// The request as code: one tab a language, and a button that copies it. Sends no custom messages.
import { listenTo, make, makeButton, setText, shortcut } from "../utils/dom.js";

/** @typedef {{ texts: Record<string, string>, note: string, language: string }} State */
/** @typedef {import("../utils/dom.js").Model<State, never>} Model */

let viewCount = 0;

/**
 * Copy a text, or else select it on the page. Returns whether it was copied.
 *
 * @param {string} text
 * @param {Element} block the element that shows the text
 */
export async function copyText(text, block) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Some frontends do not let an output write to the clipboard.
    const range = document.createRange();
    range.selectNodeContents(block);
    const selection = window.getSelection();
    selection?.removeAllRanges();
    selection?.addRange(range);
    return document.execCommand("copy");
  }
}

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ model, el }) {
  viewCount += 1;
  const id = `astria-request-${viewCount}`;
  const tabs = make("div", { attributes: { role: "tablist", "aria-label": "The request as code" } });
  const block = make("pre", { id, tabIndex: 0, attributes: { role: "tabpanel" } });
  const status = make("span", { attributes: { role: "status" } });
  const note = make("p", { className: "astria-note" });
  const copy = makeButton("Copy", async () => {
    const isCopied = await copyText(block.textContent ?? "", block);
    status.textContent = isCopied ? "Copied" : `Selected; press ${shortcut("C")}`;
  });
  el.classList.add("astria-request");
  el.append(make("div", { className: "astria-request-bar" }, tabs, status, copy), block, note);

  /** @param {string} language */
  function choose(language) {
    model.set("language", language);
    model.save_changes();
  }

  /** @param {string} language */
  function createTab(language) {
    const tab = makeButton(language, () => choose(language));
    tab.id = `${id}-${language}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", id);
    return tab;
  }

  function draw() {
    const texts = model.get("texts");
    const languages = Object.keys(texts);
    const chosen = model.get("language");
    note.textContent = model.get("note");
    note.hidden = !note.textContent;
    if (tabs.children.length !== languages.length) tabs.replaceChildren(...languages.map(createTab));
    for (const tab of /** @type {HTMLCollectionOf<HTMLElement>} */ (tabs.children)) {
      const isChosen = tab.textContent === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      if (isChosen) block.setAttribute("aria-labelledby", tab.id);
    }
    if (block.textContent !== (texts[chosen] ?? "")) {
      setText(block, texts[chosen] ?? "");
      status.textContent = "";
    }
  }

  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const languages = Object.keys(model.get("texts"));
    const index = (languages.indexOf(model.get("language")) + step + languages.length) % languages.length;
    choose(languages[index]);
    /** @type {HTMLElement} */ (tabs.children[index]).focus();
  });
  const stopListening = listenTo(model, { "change:texts": draw, "change:language": draw, "change:note": draw });
  draw();
  return stopListening;
}

export default { render };
