// @ts-check
// The pictures of several tunes side by side: a row for each template, a column for each tune.
import { make, setText } from "../../utils/dom.js";

/** @typedef {import("./tile.js").Tile} Tile */
/**
 * @typedef {{ id: string, gap: string }} Cell a picture or a prompt that failed, or why there is none
 * @typedef {{ columns: { title: string, detail: string }[], rows: { label: string, detail: string, cells: Cell[] }[] }}
 *   Comparison
 */

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * Return the place that a key leads to: the next one in its direction that is not a gap, or undefined.
 *
 * @template Place
 * @param {string} key an arrow, Home or End
 * @param {(Place | undefined)[][]} rows
 * @param {Place} place
 * @returns {Place | undefined}
 */
export function neighbour(key, rows, place) {
  const filled = rows.flat().filter((other) => other !== undefined);
  if (key === "Home") return filled[0];
  if (key === "End") return filled[filled.length - 1];
  const step = STEPS[/** @type {keyof typeof STEPS} */ (key)];
  let row = rows.findIndex((places) => places.includes(place));
  if (!step || row < 0) return undefined;
  let column = rows[row].indexOf(place);
  do {
    row += step[0];
    column += step[1];
  } while (rows[row] && column >= 0 && column < rows[row].length && rows[row][column] === undefined);
  return rows[row]?.[column];
}

/** @param {"th" | "td"} tag */
const addCell = (tag, /** @type {HTMLTableRowElement} */ row) => row.appendChild(document.createElement(tag));

/**
 * Give a row a number of cells; the first is a heading.
 *
 * @param {HTMLTableRowElement} row
 * @param {number} count
 * @param {"th" | "td"} tag of the others
 */
function setCellCount(row, count, tag) {
  while (row.cells.length > count) row.deleteCell(-1);
  while (row.cells.length < count) addCell(row.cells.length ? tag : "th", row);
}

/**
 * @param {HTMLTableCellElement} cell
 * @param {"col" | "row"} scope
 * @param {string} title
 * @param {string} detail
 */
function setHeading(cell, scope, title, detail) {
  cell.scope = scope;
  if (!cell.children.length) cell.append(make("div"), make("div", { className: "astria-pictures-detail" }));
  setText(cell.children[0], title);
  setText(cell.children[1], detail);
  cell.title = title;
}

export class ComparisonTable {
  head = make("tr");
  body = make("tbody");
  node = make(
    "div",
    { className: "astria-pictures-comparison" },
    make(
      "table",
      { attributes: { "aria-label": "Pictures by template and tune" } },
      make("thead", {}, this.head),
      this.body,
    ),
  );
  /** @type {(Tile | undefined)[][]} by template and tune */
  rows = [];
  /** @type {string[]} */
  titles = [];

  /**
   * @param {Tile[]} tiles
   * @param {Partial<Comparison>} comparison
   */
  draw(tiles, { columns = [], rows = [] }) {
    const tileOfId = new Map(tiles.map((tile) => [tile.id, tile]));
    this.titles = columns.map(({ title }) => title);
    this.node.style.setProperty("--astria-columns", String(columns.length));
    setCellCount(this.head, columns.length + 1, "th");
    setHeading(this.head.cells[0], "col", "Template", "");
    for (const [index, { title, detail }] of columns.entries()) {
      setHeading(this.head.cells[index + 1], "col", title, detail);
    }
    while (this.body.rows.length > rows.length) this.body.deleteRow(-1);
    this.rows = rows.map(({ label, detail, cells }, index) => {
      const row = this.body.rows[index] ?? this.body.insertRow();
      setCellCount(row, cells.length + 1, "td");
      setHeading(row.cells[0], "row", label, detail);
      return cells.map(({ id, gap }, column) => this.fill(row.cells[column + 1], tileOfId.get(id), gap));
    });
    this.node.hidden = !rows.length;
  }

  /**
   * @param {HTMLTableCellElement} cell
   * @param {Tile | undefined} tile
   * @param {string} gap
   */
  fill(cell, tile, gap) {
    if (tile) {
      tile.node.removeAttribute("role"); // it is in a table, not in a list
      // One that stays where it is keeps the focus.
      if (cell.firstChild !== tile.node || cell.childNodes.length > 1) cell.replaceChildren(tile.node);
    } else setText(cell, gap || "pending");
    return tile;
  }

  get tiles() {
    return this.rows.flat().flatMap((tile) => tile ?? []);
  }

  /**
   * Return the tile that a key leads to. For enlarged pictures, failed prompts are gaps as well.
   *
   * @param {string} key
   * @param {Tile} tile
   * @param {boolean} [withPicture]
   */
  neighbour(key, tile, withPicture = false) {
    const rows = withPicture
      ? this.rows.map((row) => row.map((other) => (other?.picture ? other : undefined)))
      : this.rows;
    return neighbour(key, rows, tile);
  }

  /**
   * Return the title of a tile's tune.
   *
   * @param {Tile} tile
   */
  titleOf(tile) {
    const row = this.rows.find((tiles) => tiles.includes(tile));
    return row ? this.titles[row.indexOf(tile)] : "";
  }
}
