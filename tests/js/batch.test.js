// @ts-check
import { describe, expect, it, vi } from "vitest";
import batch from "../../astria_nb/submission/batch/batch.js";
import { all, button, createModel, show } from "./model.js";

const STATE = {
  headline: "40 tunes · about $80.00",
  text: "3 of 40 done",
  fraction: 0.075,
  state: "running",
  can_cancel: false,
  saved_number: 3,
};

/**
 * Show a batch on a page whose kernel opens a connection beside the cell that runs, or does not.
 *
 * @param {Promise<void> | undefined} subshellStarted
 */
async function open(subshellStarted) {
  const comm = { open: vi.fn(), send: vi.fn(), subshellStarted };
  const { model, emit } = createModel(STATE);
  Object.assign(model, { widget_manager: { kernel: { createComm: () => comm } } });
  const { el } = await show(batch, model);
  const [status] = all(el, "[role=status]");
  return { comm, model, emit, el, status };
}

describe("the progress of a batch", () => {
  it("cancels once, where a click reaches the kernel while its cell runs", async () => {
    const { comm, model, el, status } = await open(Promise.resolve());
    await vi.waitFor(() => expect(comm.open).toHaveBeenCalledWith({ kind: "show", number: 3 }));
    expect(button(el, "Cancel").hidden).toBe(true);
    model.set("can_cancel", true);
    const cancel = button(el, "Cancel");
    expect(cancel.hidden).toBe(false);
    cancel.focus();
    cancel.click();
    cancel.click();
    expect(comm.send.mock.calls).toEqual([[{ kind: "cancel" }]]);
    expect([cancel.textContent, cancel.getAttribute("aria-disabled")]).toEqual(["Cancelling", "true"]);
    expect(document.activeElement).toBe(cancel);
    model.set("text", "Cancelled. 5 of 40 done");
    model.set("state", "ended");
    expect([cancel.hidden, status.textContent, document.activeElement]).toEqual([true, "Cancelled. 5 of 40 done", el]);
  });

  it("tells to interrupt the kernel where there is no such connection", async () => {
    vi.useFakeTimers();
    const { model, el, status } = await open(new Promise(() => {}));
    expect(status.textContent).toBe("");
    await vi.advanceTimersByTimeAsync(2000);
    expect(status.textContent).toContain("interrupt the kernel");
    expect(button(el, "Cancel").hidden).toBe(true);
    model.set("state", "ended");
    expect(status.textContent).toBe("3 of 40 done");
  });

  it("names its progress, and tells how it goes on when the kernel has ended", async () => {
    const { emit, el, status } = await open(Promise.reject(new Error("no subshell")));
    const [bar] = all(el, "[role=progressbar]");
    expect([bar.getAttribute("aria-valuenow"), bar.getAttribute("aria-valuetext")]).toEqual(["8", "3 of 40 done"]);
    emit("comm_live_update");
    expect(status.textContent).toContain("Run the cell again (in an app, load this page again): it continues");
  });
});
