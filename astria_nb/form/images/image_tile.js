// @ts-check
// One image of the list, and the thumbnails that the tiles show.
import { imageUrl, listenTo, make, makeButton } from "../../utils/dom.js";

/** @typedef {{ id: string, name: string, detail: string, badges: string[] }} Item */
/** @typedef {{ items: Item[], summary: string, duplicates: number }} State */
/**
 * @typedef {{ kind: "want" }
 *   | { kind: "remove", ids: string[] }
 *   | { kind: "remove_duplicates" }
 *   | { kind: "move", id: string, before: string | null }} ToKernel
 * @typedef {{ kind: "picture", id: string } | { kind: "answered" }} FromKernel
 */
/** @typedef {import("../../utils/dom.js").Model<State, ToKernel>} Model */
/** @typedef {{ moveLeft: () => void, moveRight: () => void, remove: () => void }} TileActions */

/**
 * Keep the thumbnails of one widget for all its views, and ask for those that were sent before this page was opened.
 *
 * @param {Model} model
 * @param {() => void} onChange
 */
export function createThumbnails(model, onChange) {
  /** @type {Map<string, string | null>} by id; null for an image that cannot be shown */
  const urls = new Map();
  const discard = (/** @type {string} */ id) => {
    const url = urls.get(id);
    if (url) URL.revokeObjectURL(url);
    urls.delete(id);
  };
  listenTo(model, {
    "msg:custom"(/** @type {FromKernel} */ message, /** @type {DataView[]} */ buffers) {
      if (message.kind !== "picture") return;
      discard(message.id);
      urls.set(message.id, buffers.length ? imageUrl(buffers[0]) : null);
      onChange();
    },
    "change:items"() {
      const ids = new Set(model.get("items").map((item) => item.id));
      for (const id of [...urls.keys()]) if (!ids.has(id)) discard(id);
    },
  });
  if (model.get("items").length) model.send({ kind: "want" });
  return { get: (/** @type {string} */ id) => urls.get(id), close: () => [...urls.keys()].forEach(discard) };
}

/**
 * Create a badge that shows the first words of a message, and the whole of it while its tile has the focus.
 *
 * @param {string} text
 */
function createBadge(text) {
  const [gist] = text.split(/: |(?<=\))\. /, 1);
  const details = make("span", { textContent: text.slice(gist.length), className: "astria-rest" });
  return make("div", { className: "astria-badge", title: text }, gist, details);
}

/**
 * Create the tile of one image.
 *
 * @param {TileActions} actions
 */
export function createTile(actions) {
  const picture = make("div", { className: "astria-picture" });
  const caption = make("div", { className: "astria-caption" });
  const moveLeft = createAction("Move left", actions.moveLeft, "astria-move-left");
  const moveRight = createAction("Move right", actions.moveRight, "astria-move-right");
  const remove = createAction("Remove", actions.remove, "astria-remove");
  const tile = make(
    "div",
    { className: "astria-tile", draggable: true, attributes: { role: "group" } },
    picture,
    caption,
    make("div", { className: "astria-actions" }, moveLeft, moveRight, remove),
  );
  const element = make("li", {}, tile);
  /** @type {string | null | undefined} */
  let drawnUrl;

  /**
   * @param {Item} item
   * @param {number} index
   * @param {number} count
   * @param {string | null | undefined} url
   * @param {boolean} isCurrent
   */
  function update(item, index, count, url, isCurrent) {
    tile.dataset.id = item.id;
    const position = `${index + 1} of ${count}`;
    tile.setAttribute("aria-label", [item.name, item.detail, ...item.badges, position].join(", "));
    for (const control of [tile, moveLeft, moveRight, remove]) control.tabIndex = isCurrent ? 0 : -1;
    for (const button of [moveLeft, moveRight, remove]) {
      button.setAttribute("aria-label", `${button.textContent}: ${item.name}`);
    }
    moveLeft.setAttribute("aria-disabled", String(index === 0));
    moveRight.setAttribute("aria-disabled", String(index === count - 1));
    caption.replaceChildren(
      make("div", { textContent: item.name, title: item.name }),
      make("div", { textContent: item.detail, className: "astria-detail" }),
      ...item.badges.map(createBadge),
    );
    if (url === drawnUrl && picture.hasChildNodes()) return;
    drawnUrl = url;
    const placeholder = make("span", { textContent: url === null ? "no preview" : "" });
    picture.replaceChildren(url ? make("img", { src: url, alt: "", draggable: false }) : placeholder);
  }
  return { element, tile, update };
}

/**
 * Create a button that does nothing while it is marked as disabled; it keeps the focus then.
 *
 * @param {string} label
 * @param {() => void} action
 * @param {string} className
 */
function createAction(label, action, className) {
  const button = makeButton(
    label,
    () => {
      if (button.getAttribute("aria-disabled") !== "true") action();
    },
    className,
  );
  return button;
}
