// @ts-check
// Reordering by mouse.
import { closest } from "../../utils/dom.js";
import { dropPlace } from "./image_order.js";

/**
 * Let the tiles of a list be dragged, and mark where one would be dropped.
 *
 * @param {HTMLElement} list
 * @param {() => string[]} order
 * @param {(id: string, before: string | null) => void} onMove
 */
export function enableDragging(list, order, onMove) {
  /** @type {string | null} */
  let dragged = null;
  /** @type {string | null} */
  let place = null;
  const clear = (/** @type {string[]} */ ...classNames) => {
    for (const tile of list.querySelectorAll(".astria-tile")) tile.classList.remove(...classNames);
  };
  list.addEventListener("dragstart", (event) => {
    const tile = /** @type {HTMLElement} */ (event.target);
    dragged = tile.dataset?.id ?? null;
    if (dragged === null || !event.dataTransfer) return;
    event.dataTransfer.setData("application/x-astria-image", dragged);
    event.dataTransfer.effectAllowed = "move";
    tile.classList.add("astria-dragged");
  });
  list.addEventListener("dragover", (event) => {
    if (dragged === null) return;
    event.preventDefault();
    const tile = closest(event, ".astria-tile");
    if (!tile?.dataset.id) return; // between two tiles the last mark stays
    const { left, width } = tile.getBoundingClientRect();
    const isLeftHalf = event.clientX < left + width / 2;
    place = dropPlace(order(), tile.dataset.id, isLeftHalf);
    clear("astria-before", "astria-after");
    tile.classList.add(isLeftHalf ? "astria-before" : "astria-after");
  });
  list.addEventListener("drop", (event) => {
    if (dragged === null) return;
    event.preventDefault();
    onMove(dragged, place);
  });
  list.addEventListener("dragend", () => {
    clear("astria-before", "astria-after", "astria-dragged");
    dragged = null;
  });
}
