// @ts-check
import { describe, expect, it, vi } from "vitest";
import gallery from "../../astria_nb/results/gallery/widget.js";
import { followKernel } from "../../astria_nb/utils/kernel.js";
import { all, button, createModel, show } from "./model.js";

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
  const stop = followKernel({ model, view, findWidget: () => view, savedNumber: 7, onLost, onFound: vi.fn() });
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(hidesCopy()).toBe(false);
  stop();
  emit("comm_live_update");
  expect(onLost).not.toHaveBeenCalled();
});

describe("a kernel that is gone without a word", () => {
  const IDLE = { content: { execution_state: "idle" } };

  /** @param {object} [connection] JupyterLab's; other frontends have none */
  async function open(connection) {
    vi.useFakeTimers();
    const kernel = createModel({ ...STATE, state: "stopped" });
    if (connection) kernel.model.widget_manager = { kernel: connection };
    const { el } = await show(gallery, kernel.model);
    await vi.advanceTimersByTimeAsync(100);
    const click = () => button(el, "Check again").click();
    const isLost = () => el.classList.contains("jupyter-widgets-disconnected");
    return { ...kernel, el, click, isLost };
  }

  /** @param {Response} answer of a server that is asked for its kernel */
  function onServer(answer) {
    const fetch = vi.fn(
      /** @this {unknown} */ async function request() {
        if (this) throw new TypeError("Illegal invocation"); // as a browser does
        return answer;
      },
    );
    const serverSettings = { baseUrl: "http://example.com/", token: "t", init: { cache: "no-store" }, fetch };
    return { connectionStatus: "connected", id: "k1", serverSettings };
  }

  it("is known by its server, which ended it and left the connection open", async () => {
    const connection = onServer(Response.json({ message: "Kernel does not exist: k1" }, { status: 404 }));
    const { click, isLost } = await open(connection);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.serverSettings.fetch).not.toHaveBeenCalled();
    click();
    await vi.advanceTimersByTimeAsync(5000);
    expect(isLost()).toBe(true);
    const headers = new Headers({ Authorization: "token t" });
    const [request] = connection.serverSettings.fetch.mock.calls;
    expect(request).toEqual(["http://example.com/api/kernels/k1", { cache: "no-store", headers }]);
  });

  it("is known by the question that it is done with, and did not answer", async () => {
    const { el, pings, click, isLost } = await open();
    click();
    pings[0].iopub.status({ content: { execution_state: "busy" } });
    expect(isLost()).toBe(false);
    pings[0].iopub.status(IDLE);
    expect(isLost()).toBe(true);
    expect(hidesCopy()).toBe(false);
    expect(el.textContent).toContain("This gallery has no kernel");
    expect(all(el, "button").every((each) => each.hasAttribute("disabled"))).toBe(true);
  });

  it("is not taken for gone while it runs a cell, however long, nor for an answer that came", async () => {
    const { pings, click, isLost, receive } = await open(onServer(Response.json({ id: "k1" })));
    click();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(isLost()).toBe(false);
    receive({ kind: "pong" });
    click();
    pings[0].iopub.status(IDLE);
    receive({ kind: "pong" });
    pings[1].iopub.status(IDLE);
    expect(isLost()).toBe(false);
  });

  it.each([
    undefined,
    { connectionStatus: "connecting", status: "unknown" },
    onServer(new Response("Not Found", { status: 404 })),
  ])("is not taken for gone where the page cannot know", async (connection) => {
    const { pings, click, isLost } = await open(connection);
    click();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([pings.length, isLost()]).toEqual([1, false]);
  });

  it("is back when it answers after all, and the buttons are on again that were on", async () => {
    const connection = { connectionStatus: "disconnected", status: "unknown" };
    const { el, click, isLost, receive, sent } = await open(connection);
    const save = /** @type {HTMLButtonElement} */ (button(el, "Download all"));
    save.disabled = true;
    click();
    await vi.advanceTimersByTimeAsync(1000);
    expect(isLost()).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(isLost()).toBe(true);
    receive({ kind: "pong" });
    expect([isLost(), hidesCopy(), save.disabled]).toEqual([false, true, true]);
    expect(el.textContent).not.toContain("no kernel");
    click();
    expect(sent.filter(({ kind }) => kind === "resume")).toHaveLength(2);
  });

  it("is known at once by a connection that is closed", async () => {
    const { model, el, isLost } = await open();
    model.send = () => {
      throw new Error("Cannot send");
    };
    el.click();
    expect(isLost()).toBe(true);
  });
});
