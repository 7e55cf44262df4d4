// @ts-check
// Asking for the thumbnails of the tiles that come into view, each once.
import { createTimer, createViewTracker } from "../../utils/dom.js";

/** @typedef {import("./tile.js").Tile} Tile */

const REQUEST_EVERY = 100; // ms between two requests for the thumbnails that came into view
const NEAR = "240px 0px"; // a tile counts as in view when it is this close

export class ThumbnailRequests {
  /** @type {Set<string>} pictures whose thumbnails were asked for, or are there */
  requested = new Set();

  /**
   * @param {Element} area which has the tiles, and may scroll
   * @param {WeakMap<Element, Tile>} tileOf
   * @param {(ids: string[]) => void} request
   */
  constructor(area, tileOf, request) {
    this.tileOf = tileOf;
    this.request = request;
    this.timer = createTimer(() => this.send(), REQUEST_EVERY);
    this.tracker = createViewTracker({ root: area, rootMargin: NEAR }, (changed) => this.onScrolled(changed));
  }

  /**
   * @param {Tile} tile
   * @param {DataView | undefined} stored its thumbnail, if the widget's state has it
   */
  add(tile, stored) {
    if (stored) {
      tile.showThumbnail(stored);
      this.requested.add(tile.id);
    }
    this.tracker.observe(tile.node);
  }

  /** @param {Tile} tile */
  remove(tile) {
    this.tracker.unobserve(tile.node);
    this.requested.delete(tile.id);
  }

  /** @param {{ target: Element, isIntersecting: boolean }[]} changed */
  onScrolled(changed) {
    for (const { target, isIntersecting } of changed) {
      const tile = this.tileOf.get(target);
      // One that could not be loaded is asked for again when it comes back into view.
      if (tile?.isMissing && !isIntersecting) this.requested.delete(tile.id);
    }
    this.timer.start();
  }

  send() {
    const inView = [...this.tracker.inView].flatMap((node) => this.tileOf.get(node)?.id ?? []);
    const ids = inView.filter((id) => !this.requested.has(id));
    for (const id of ids) this.requested.add(id);
    if (ids.length) this.request(ids);
  }

  close() {
    this.timer.stop();
    this.tracker.disconnect();
  }
}
