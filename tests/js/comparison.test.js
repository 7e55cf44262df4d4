// @ts-check
import { describe, expect, it } from "vitest";
import { neighbour } from "../../astria_nb/results/gallery/comparison.js";
import gallery from "../../astria_nb/results/gallery/widget.js";
import { all, createModel, nextFrame, press, show } from "./model.js";

const card = (/** @type {string} */ id) => ({
  ...{ id, text: `prompt ${id}`, error: "", liked: false },
  pictures: [{ id: `${id}.0`, url: "https://example.com/1.jpg" }],
});
const failed = (/** @type {string} */ id) => ({ ...card(id), error: "held back", pictures: [] });
const row = (/** @type {string} */ label, /** @type {string[]} */ ...cells) => ({
  label,
  detail: `template ${label}`,
  cells: cells.map((id) => (/^\d/.test(id) ? { id, gap: "" } : { id: "", gap: id })),
});
const COLUMNS = ["first", "second"].map((title) => ({ title, detail: "cat" }));
const ROWS = [row("a", "1.0", "4.0"), row("b", "2.0", "no picture"), row("c", "3", "5.0")];
const CARDS = [card("1"), card("2"), failed("3"), card("4"), card("5")];

async function openComparison() {
  const state = { cards: CARDS, comparison: { columns: COLUMNS, rows: ROWS } };
  const kernel = createModel({ ...state, summary: "", state: "finished", failure: "" });
  const { el } = await show(gallery, kernel.model);
  const dialog = /** @type {HTMLDialogElement} */ (el.querySelector("dialog"));
  return { ...kernel, el, dialog, cells: () => all(el, "td"), label: () => dialog.getAttribute("aria-label") };
}

/** What stands in the cell around the focus, as its place in the table. */
const place = () => {
  const cell = /** @type {HTMLTableCellElement} */ (document.activeElement?.closest("td"));
  return `${/** @type {HTMLTableRowElement} */ (cell.parentElement).rowIndex}.${cell.cellIndex}`;
};

describe("a comparison", () => {
  it("is a table with headings, pictures and gaps", async () => {
    const { el, cells } = await openComparison();
    expect(all(el, "th[scope=col]").map((cell) => cell.textContent)).toEqual(["Template", "firstcat", "secondcat"]);
    expect(all(el, "th[scope=row]").map((cell) => cell.textContent)).toEqual(
      ["a", "b", "c"].map((at) => `${at}template ${at}`),
    );
    expect(cells().map((cell) => Boolean(cell.querySelector("button")))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
    expect([cells()[3].textContent, cells()[4].textContent]).toEqual(["no picture", "Failedheld backprompt 3"]);
    expect(all(el, "[role=listitem]")).toEqual([]);
  });

  it("is walked by arrow keys, past gaps", async () => {
    const { cells } = await openComparison();
    all(cells()[0], "button")[0].focus();
    const places = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowRight", "Home", "End", "ArrowDown"].map(
      (key) => {
        expect(press(key)).toBe(true); // the page does not scroll
        return place();
      },
    );
    expect(places).toEqual(["1.2", "3.2", "3.1", "2.1", "2.1", "1.1", "3.2", "3.2"]);
  });

  it("shows large pictures of the same template by left and right, of the same tune by up and down", async () => {
    const { cells, dialog, label } = await openComparison();
    all(cells()[0], "button")[0].click();
    expect(label()).toBe("Picture 1 of 4 · first");
    dialog.focus();
    const labels = ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowLeft", "ArrowDown"].map(
      (key) => {
        dialog.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
        return label();
      },
    );
    // The failed prompt beside the last picture has no large view.
    expect(labels).toEqual(
      ["2", "2", "4", "4", "2", "1", "3"].map((at) => expect.stringContaining(`Picture ${at} of 4`)),
    );
  });

  it("adds pictures and rows as they come, and the focus stays", async () => {
    const { model, cells } = await openComparison();
    const [first] = all(cells()[0], "button");
    first.focus();
    const rows = [row("a", "1.0", "4.0"), row("b", "2.0", "6.0"), ROWS[2], row("d", "pending", "pending")];
    model.set("cards", [...CARDS, card("6")]);
    model.set("comparison", { columns: COLUMNS, rows });
    await nextFrame();
    expect(document.activeElement).toBe(first);
    expect(
      cells()
        .slice(-2)
        .map((cell) => cell.textContent),
    ).toEqual(["pending", "pending"]);
    expect(cells()[3].querySelector("button")).not.toBeNull();
    model.set("comparison", { columns: COLUMNS, rows: rows.slice(0, 1) });
    await nextFrame();
    expect(cells().length).toBe(2);
  });
});

describe("the neighbour of a place", () => {
  it("is undefined where there is none", () => {
    const rows = [[1, undefined, 2]];
    expect(["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "x"].map((key) => neighbour(key, rows, 1))).toEqual([
      ...[2, undefined, undefined, undefined, undefined],
    ]);
    expect(neighbour("ArrowRight", rows, 3)).toBeUndefined();
  });
});
