// @ts-check
import { expect, it, vi } from "vitest";
import gallery from "../../astria_nb/results/gallery/widget.js";
import { followKernel } from "../../astria_nb/utils/kernel.js";
import { all, createModel, show } from "./model.js";

const STATE = {
  cards: [{ id: "1", text: "one", error: "", liked: false, pictures: [{ id: "1.0", url: "https://example.com/1" }] }],
  summary: "1 picture",
  state: "watching",
  failure: "",
  thumbnails: { "1.0": new DataView(new ArrayBuffer(2)) },
  saved_number: 7,
};
const hidesCopy = () => document.documentElement.classList.contains("astria-live-7");

it("hides its saved copy while it has a kernel, and says when it has none", async () => {
  const { model, emit } = createModel(STATE);
  const { el } = await show(gallery, model);
  await vi.waitFor(() => expect(hidesCopy()).toBe(true));
  expect(el.textContent).not.toContain("no kernel");
  emit("comm_live_update");
  expect(hidesCopy()).toBe(false);
  expect(el.textContent).toContain(
    "This gallery has no kernel, so its buttons are off. Run the cell (Shift+Enter; in an app, load this page again) to use it.",
  );
  expect(all(el, "button").filter((button) => !button.hasAttribute("disabled"))).toEqual([]);
  emit("comm_live_update");
  expect(all(el, ".astria-no-kernel")).toHaveLength(1);
});

it("has no kernel once that was shut down, which JupyterLab tells of its connection only", async () => {
  const { model } = createModel(STATE);
  /** @type {Set<() => void>} */
  const slots = new Set();
  const disposed = {
    connect: (/** @type {() => void} */ slot) => slots.add(slot),
    disconnect: (/** @type {() => void} */ slot) => slots.delete(slot),
  };
  const { el, close } = await show(gallery, Object.assign(model, { widget_manager: { kernel: { disposed } } }));
  for (const slot of slots) slot();
  expect(el.textContent).toContain("no kernel");
  close();
  expect(slots.size).toBe(0);
});

it("shows the pictures of its state, on a page without a kernel from the start", async () => {
  const { model, take } = createModel(STATE);
  const { el } = await show(gallery, model);
  el.className = "jupyter-widgets-disconnected"; // as ipywidgets marks it
  await vi.waitFor(() => expect(el.textContent).toContain("no kernel"));
  expect(all(el, ".astria-pictures-grid img")).toHaveLength(1);
  expect(take()).toEqual([]);
  expect(hidesCopy()).toBe(false);
});

it("leaves the copy to its own style in JupyterLab, where other notebooks are on the page", async () => {
  const area = document.createElement("div");
  area.className = "jp-OutputArea";
  const view = document.createElement("div");
  area.append(view);
  document.body.append(area);
  const { model, emit } = createModel({});
  const onLost = vi.fn();
  const stop = followKernel({ model, view, findWidget: () => view, savedNumber: 7, onLost });
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(hidesCopy()).toBe(false);
  stop();
  emit("comm_live_update");
  expect(onLost).not.toHaveBeenCalled();
});
