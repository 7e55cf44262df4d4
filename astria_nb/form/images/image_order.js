// @ts-check
// Where an image goes in the list. Orders are lists of ids; `before` is the id that an image is put in front of,
// or null for the end.

/**
 * Return the place one image left (-1) or right (1) of where it stands, or undefined at either end of the list.
 *
 * @param {string[]} order
 * @param {string} id
 * @param {number} step
 * @returns {string | null | undefined}
 */
export function stepPlace(order, id, step) {
  const target = order.indexOf(id) + step;
  if (target < 0 || target >= order.length) return undefined;
  return order.filter((candidate) => candidate !== id)[target] ?? null;
}

/**
 * Return the place on one side of the image that another is dropped on.
 *
 * @param {string[]} order
 * @param {string} id
 * @param {boolean} isLeftHalf
 * @returns {string | null}
 */
export function dropPlace(order, id, isLeftHalf) {
  return isLeftHalf ? id : (order[order.indexOf(id) + 1] ?? null);
}

/**
 * Return whether an image stands elsewhere once it is put in a place.
 *
 * @param {string[]} order
 * @param {string} id
 * @param {string | null} before
 */
export function changesOrder(order, id, before) {
  return before !== id && (order[order.indexOf(id) + 1] ?? null) !== before;
}

/**
 * Return the image that gets the focus when one is removed: the next, else the previous.
 *
 * @param {string[]} order
 * @param {string} id
 * @returns {string | null}
 */
export function neighbour(order, id) {
  const index = order.indexOf(id);
  return order[index + 1] ?? order[index - 1] ?? null;
}
