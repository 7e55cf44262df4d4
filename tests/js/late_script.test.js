// @ts-check
import { expect, it, vi } from "vitest";
import { listening } from "../../astria_nb/utils/late_script.js";

/** A widget as anywidget makes it: it passes messages on once it is ready, and fails if it never will be. */
function createWidget(/** @type {boolean} */ isLate) {
  class OfIpywidgets {
    /** @type {unknown[]} */
    received = [];
    comm = { on_msg: vi.fn(), send: vi.fn() };
    /** @param {unknown} message */
    async _handle_comm_msg(message) {
      this.received.push(message);
    }
  }
  class OfAnywidget extends OfIpywidgets {
    /** @param {unknown} message */
    async _handle_comm_msg(message) {
      if (isLate) throw new Error("Failed to initialize model.");
      return super._handle_comm_msg(message);
    }
  }
  return new OfAnywidget();
}

/** @param {unknown} widget */
const modelOf = (widget) => ({
  get: (/** @type {string} */ name) => (name === "_own_id" ? "abc" : undefined),
  widget_manager: { get_model: async (/** @type {unknown} */ id) => (id === "abc" ? widget : null) },
});

it("asks for what it has missed, and listens, if anywidget does not", async () => {
  const widget = createWidget(true);
  const { initialize } = await listening({ render: vi.fn() })();
  initialize({ model: modelOf(widget) });
  await vi.waitFor(() => expect(widget.comm.send).toHaveBeenCalledWith({ method: "request_state" }));
  const [receive] = widget.comm.on_msg.mock.calls[0];
  await receive("news");
  expect(widget.received).toEqual(["news"]);
});

it("leaves a widget alone that is in time", async () => {
  const widget = createWidget(false);
  const { initialize } = await listening(() => ({ initialize: () => "its own", render: vi.fn() }))();
  expect(initialize({ model: modelOf(widget) })).toBe("its own");
  await vi.waitFor(() => expect(widget.received).toHaveLength(1));
  expect(widget.comm.on_msg).not.toHaveBeenCalled();
  expect(widget.comm.send).not.toHaveBeenCalled();
});

it("does nothing on a page without a kernel", async () => {
  const render = vi.fn();
  const definition = await listening({ render })();
  definition.initialize({ model: { get: () => "abc" } });
  expect(definition).toMatchObject({ render });
});
