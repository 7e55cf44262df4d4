// @ts-check
import { afterEach, describe, expect, it, vi } from "vitest";
import switchWidget from "../../astria_nb/form/progress/notification.js";
import { all, createModel, show } from "./model.js";

afterEach(() => vi.unstubAllGlobals());

/**
 * Play a browser, and return the notifications that it has shown.
 *
 * @param {NotificationPermission} permission
 * @param {NotificationPermission} [answer] of its user
 */
function stubBrowser(permission, answer = permission) {
  /** @type {{ title: string, body: string }[]} */
  const notifications = [];
  class FakeNotification {
    static permission = permission;
    static requestPermission = vi.fn(async () => answer);
    /** @param {string} title @param {{ body: string }} options */
    constructor(title, { body }) {
      notifications.push({ title, body });
    }
  }
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("Notification", FakeNotification);
  return { notifications, FakeNotification };
}

async function openSwitch() {
  const { model } = createModel({ wanted: false, title: "studio light", message: "" });
  const { el, close } = await show(switchWidget, model);
  const [box] = /** @type {HTMLInputElement[]} */ (all(el, "input"));
  const [status] = all(el, "[role=status]");
  const click = async () => {
    box.click();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { model, box, status, click, close };
}

describe("the switch for a notification", () => {
  it("asks the browser at the click, and notifies once when the tune is done", async () => {
    const { notifications, FakeNotification } = stubBrowser("default", "granted");
    const { model, box, click } = await openSwitch();
    expect(FakeNotification.requestPermission).not.toHaveBeenCalled();
    await click();
    expect(model.get("wanted")).toBe(true);
    model.set("message", "8 of 8 prompts done");
    expect(notifications).toEqual([{ title: "studio light", body: "8 of 8 prompts done" }]);
    expect(box.checked).toBe(false);
    model.set("message", "");
    model.set("message", "again");
    expect(notifications.length).toBe(1);
  });

  it("says nothing where nobody asked, or who asked has changed their mind", async () => {
    const { notifications } = stubBrowser("granted");
    const { model, click } = await openSwitch();
    model.set("message", "done");
    model.set("message", "");
    await click();
    await click();
    model.set("message", "done");
    expect(notifications).toEqual([]);
  });

  it("tells nothing new where a notebook is opened again", async () => {
    const { notifications } = stubBrowser("granted");
    const { model } = createModel({ wanted: true, title: "t", message: "done" });
    const { el } = await show(switchWidget, model);
    expect([el.hidden, notifications]).toEqual([true, []]);
  });

  it.each([
    ["denied", "denied", "This page may not show notifications"],
    ["default", "denied", "This page may not show notifications"],
    ["default", "default", "press again to be asked again"],
  ])("says that the browser does not allow it (%s, then %s)", async (permission, answer, text) => {
    stubBrowser(/** @type {any} */ (permission), /** @type {any} */ (answer));
    const { model, box, status, click } = await openSwitch();
    await click();
    expect(status.textContent).toContain(text);
    expect([box.checked, model.get("wanted")]).toEqual([false, false]);
  });

  it("says that the browser has none", async () => {
    vi.stubGlobal("isSecureContext", true);
    const { status, click } = await openSwitch();
    await click();
    expect(status.textContent).toBe("This browser shows no notifications.");
    vi.stubGlobal("isSecureContext", false);
    await click();
    expect(status.textContent).toContain("begins with https");
  });

  it("says so where a page may not make one, as on a phone", async () => {
    const { FakeNotification } = stubBrowser("granted");
    const { model, status, click } = await openSwitch();
    await click();
    vi.stubGlobal(
      "Notification",
      class extends FakeNotification {
        constructor() {
          super("", { body: "" });
          throw new TypeError("Illegal constructor");
        }
      },
    );
    model.set("message", "done");
    expect(status.textContent).toContain("may not show notifications");
  });
});
