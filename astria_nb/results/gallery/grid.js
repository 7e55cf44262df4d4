// @ts-check
// The pictures in their order, as many beside each other as there is room for.
import { arrange, arrowStep, columnCount, gridTarget, make } from "../../utils/dom.js";
import { stepInCircle } from "./overlay.js";

/** @typedef {import("./tile.js").Tile} Tile */

export class PictureGrid {
  node = make("div", { className: "astria-pictures-grid", attributes: { role: "list", "aria-label": "Pictures" } });
  /** @type {Tile[]} */
  tiles = [];

  /** @param {Tile[]} tiles */
  draw(tiles) {
    this.tiles = tiles;
    arrange(
      this.node,
      tiles.map(({ node }) => node),
    );
    this.node.hidden = !tiles.length;
  }

  /**
   * Return the tile that a key leads to. For enlarged pictures, failed prompts are skipped, and the arrows lead on
   * in a circle.
   *
   * @param {string} key
   * @param {Tile} tile
   * @param {boolean} [withPicture]
   */
  neighbour(key, tile, withPicture = false) {
    const { tiles } = this;
    if (withPicture)
      return stepInCircle(
        tiles.filter(({ picture }) => picture),
        tile,
        arrowStep(key),
      );
    const columns = columnCount(tiles.map(({ node }) => node));
    return tiles[gridTarget(key, tiles.indexOf(tile), tiles.length, columns) ?? -1];
  }

  /** The pictures are in the order in which they arrived, whatever their tunes. */
  titleOf() {
    return "";
  }
}
