// @ts-check
import { describe, expect, it } from "vitest";
import gallery from "../../astria_nb/results/gallery/widget.js";
import { all, button, createModel, show } from "./model.js";

const OFFER = {
  state: "offered",
  question: "Keep this tune beyond 31 Jan?",
  price: "about $0.50 a month",
  problem: "",
};

/** @param {Record<string, unknown>} keep */
async function openGallery(keep) {
  const kernel = createModel({ cards: [], comparison: {}, keep, summary: "", state: "finished", failure: "" });
  const { el } = await show(gallery, kernel.model);
  const panel = /** @type {HTMLElement} */ (el.querySelector(".astria-pictures-question"));
  return { ...kernel, el, panel };
}

describe("keeping tunes longer", () => {
  it("asks first, with the focus on the answer that costs nothing", async () => {
    const { el, panel, take } = await openGallery(OFFER);
    expect(panel.hidden).toBe(true);
    const keep = button(el, "Keep longer");
    keep.click();
    expect([panel.hidden, panel.getAttribute("aria-label"), document.activeElement]).toEqual([
      ...[false, OFFER.question, button(el, "Cancel")],
    ]);
    expect(panel.textContent).toContain("about $0.50 a month");
    button(el, "Cancel").click();
    expect([take(), panel.hidden, document.activeElement]).toEqual([[], true, keep]);
    keep.click();
    panel.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect([take(), panel.hidden]).toEqual([[], true]);
    keep.click();
    button(el, "Keep for about $0.50 a month").click();
    expect([take(), panel.hidden, document.activeElement]).toEqual([[{ kind: "keep", keep: true }], true, keep]);
  });

  it("is not asked for twice, and can be stopped", async () => {
    const { el, model, take, panel } = await openGallery(OFFER);
    model.set("keep", { ...OFFER, state: "sending" });
    button(el, "Sending").click();
    expect([take(), panel.hidden]).toEqual([[], true]);
    model.set("keep", { ...OFFER, state: "kept" });
    expect(all(el, "[role=status]").map(({ textContent }) => textContent)).toContain(
      "Kept longer, about $0.50 a month",
    );
    button(el, "Stop keeping").click();
    expect(take()).toEqual([{ kind: "keep", keep: false }]);
    model.set("keep", { ...OFFER, problem: "not today" });
    expect(all(el, "[role=alert]").map(({ textContent }) => textContent)).toContain("not today");
  });

  it("is not offered where there is nothing to keep", async () => {
    for (const keep of [{}, { ...OFFER, state: "none" }]) {
      const { el } = await openGallery(keep);
      expect(button(el, "Keep longer").hidden).toBe(true);
    }
  });
});
