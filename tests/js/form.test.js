// @ts-check
import { beforeEach, describe, expect, it, vi } from "vitest";
import errorSummary, { focusField } from "../../astria_nb/form/error_summary.js";
import requestView, { copyText } from "../../astria_nb/form/request_view.js";
import { all, button, createModel, nextFrame, press, show } from "./model.js";

const EVIL = '<img src=x onerror="alert(1)">';

beforeEach(() => {
  // jsdom lays nothing out: an element is visible here unless it, or what it stands in, is hidden.
  Object.defineProperty(HTMLElement.prototype, "offsetParent", {
    configurable: true,
    get() {
      return this.closest("[hidden]") ? null : document.body;
    },
  });
});

/** @param {{ field: string, label: string, text: string }[]} problems */
async function openSummary(problems) {
  const form = document.createElement("div");
  form.className = "astria-form";
  form.innerHTML = `
    <div class="astria-field astria-at-prompts-text"><input placeholder="Text"><p class="astria-error">wrong</p></div>
    <div class="jupyter-widget-Collapse-open"><div class="jupyter-widget-Collapse-header"><i></i>Pack</div></div>
    <div class="astria-field astria-at-pack"><input placeholder="id"><p class="astria-error"></p></div>
    <div class="astria-field astria-at-urls">
      <input placeholder="url"><p class="astria-error"></p><p class="astria-remark">a page</p></div>
    <div class="astria-submit-bar"><p class="astria-note">Ready</p></div>
    <div class="astria-repeat"><p>Again?</p><button>Use</button><button>Cancel</button></div>
    <img src="x">`;
  document.body.append(form);
  const kernel = createModel({ problems });
  const { el, close } = await show(errorSummary, kernel.model);
  form.prepend(el);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await nextFrame();
  const [text, pack] = all(form, "input");
  return { ...kernel, form, el, close, text, pack };
}

describe("the rest of the form", () => {
  it("says in place of its errors that it has no kernel, and shows them again when that answers after all", async () => {
    const { form, el, pings, receive } = await openSummary([{ field: "pack", label: "Pack", text: "is missing" }]);
    form.querySelector("input")?.dispatchEvent(new Event("change", { bubbles: true }));
    pings[0].iopub.status({ content: { execution_state: "idle" } });
    expect(el.textContent).toContain("This form has no kernel");
    expect(all(form, "input").every((input) => input.hasAttribute("disabled"))).toBe(true);
    receive({ kind: "pong" });
    expect(el.textContent).toBe("1 problem to fixPack is missing");
    expect(all(form, "input").some((input) => input.hasAttribute("disabled"))).toBe(false);
  });

  it("lets Escape cancel the question, whose buttons are named after it", async () => {
    const { form } = await openSummary([]);
    const [question] = all(form, ".astria-repeat");
    const [use, cancel] = all(question, "button");
    let cancelled = 0;
    cancel.addEventListener("click", () => {
      cancelled += 1;
    });
    use.focus();
    press("Enter");
    expect(cancelled).toBe(0);
    press("Escape");
    expect(cancelled).toBe(1);
    expect(question.getAttribute("role")).toBe("group");
    const label = document.getElementById(question.getAttribute("aria-labelledby") ?? "");
    expect(label?.textContent).toBe("Again?");
  });

  it("reads out the line beside Submit, and the remark of a field", async () => {
    const { form } = await openSummary([]);
    expect(all(form, ".astria-note")[0].getAttribute("role")).toBe("status");
    const input = /** @type {HTMLInputElement} */ (form.querySelector(".astria-at-urls input"));
    const ids = input.getAttribute("aria-describedby")?.split(" ") ?? [];
    expect(ids.map((id) => document.getElementById(id)?.textContent)).toEqual(["", "a page"]);
  });
});

describe("a click after an edit", () => {
  /** @param {any[]} children */
  const createWidget = (children = []) => ({
    _pending_msgs: 0,
    get: (/** @type {string} */ name) => (name === "children" ? children : undefined),
  });

  /** A form with a field inside a box, and a button whose clicks are counted. */
  async function openForm() {
    const title = createWidget();
    const form = createWidget([createWidget(), createWidget([title])]);
    const { model } = createModel({ problems: [], form_id: "form" });
    model.widget_manager = { get_model: async (/** @type {string} */ id) => (id === "form" ? form : null) };
    const element = document.createElement("div");
    element.className = "astria-form";
    element.innerHTML =
      "<button class='jupyter-button'>Submit</button><button>New</button>" +
      "<button class='jupyter-button astria-cancel'>Cancel</button>";
    document.body.append(element);
    const { el, close } = await show(errorSummary, model);
    element.prepend(el);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const [submit, other, cancel] = all(element, "button");
    const clicks = { submit: 0, other: 0, cancel: 0 };
    cancel.addEventListener("click", () => {
      clicks.cancel += 1;
    });
    submit.addEventListener("click", () => {
      clicks.submit += 1;
    });
    other.addEventListener("click", () => {
      clicks.other += 1;
    });
    return { title, element, submit, other, cancel, clicks, close };
  }
  const pause = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  it("waits until Python has the edit, and is one click then", async () => {
    const { title, element, submit, clicks } = await openForm();
    title._pending_msgs = 1;
    submit.click();
    submit.click();
    await pause(60);
    expect(clicks.submit).toBe(0);
    await vi.waitFor(() => expect(element.textContent).toContain("Waiting for the kernel"), 5000);
    title._pending_msgs = 0;
    await vi.waitFor(() => expect(clicks.submit).toBe(1), 5000);
    expect(element.textContent).not.toContain("Waiting");
    submit.click();
    expect(clicks.submit).toBe(2);
    const photos = element.appendChild(document.createElement("div"));
    photos.toggleAttribute("data-unanswered", true);
    submit.click();
    await pause(60);
    expect(clicks.submit).toBe(2);
    photos.remove();
    await vi.waitFor(() => expect(clicks.submit).toBe(3), 5000);
  });

  it("is not held where nothing waits, nor on Cancel, nor on a button that is not from ipywidgets", async () => {
    const { title, submit, other, cancel, clicks, close } = await openForm();
    submit.click();
    expect(clicks.submit).toBe(1);
    title._pending_msgs = 1;
    other.click();
    cancel.click();
    expect(clicks).toMatchObject({ other: 1, cancel: 1 });
    submit.click();
    close?.();
    title._pending_msgs = 0;
    await pause(60);
    expect(clicks.submit).toBe(1); // the form is gone
  });
});

describe("the error summary", () => {
  const problems = [
    { field: "prompts.text", label: "Text", text: EVIL },
    { field: "pack", label: "Pack", text: "is missing" },
  ];

  it("counts the problems and shows them as text", async () => {
    const { el, model } = await openSummary(problems);
    expect(el.querySelector("p")?.textContent).toBe("2 problems to fix");
    expect(el.querySelector("img")).toBeNull();
    model.set("problems", problems.slice(1));
    expect(el.querySelector("p")?.textContent).toBe("1 problem to fix");
    expect(el.textContent).toContain("Pack is missing");
    model.set("problems", []);
    expect(el.hidden).toBe(true);
  });

  it("asks the kernel to open the section, and moves the focus to the field", async () => {
    const { el, sent, pack } = await openSummary(problems);
    all(el, "a")[1].click();
    expect(sent).toEqual([{ kind: "focus", field: "pack" }]);
    expect(document.activeElement).toBe(pack);
  });

  it("waits for a section that the kernel has yet to open", async () => {
    const { form, pack } = await openSummary(problems);
    vi.useFakeTimers();
    const field = /** @type {HTMLElement} */ (pack.parentElement);
    field.hidden = true;
    focusField(form, "pack");
    vi.advanceTimersByTime(120);
    expect(document.activeElement).not.toBe(pack);
    field.hidden = false;
    vi.advanceTimersByTime(60);
    expect(document.activeElement).toBe(pack);
  });

  it("gives up on a field that never appears", async () => {
    const { form } = await openSummary(problems);
    vi.useFakeTimers();
    focusField(form, "unknown");
    vi.advanceTimersByTime(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ties errors to their controls, and names those that have a placeholder only", async () => {
    const { form, text, pack, model } = await openSummary(problems.slice(0, 1));
    const description = document.getElementById(text.getAttribute("aria-describedby") ?? "");
    expect(description?.textContent).toBe("wrong");
    expect([text.getAttribute("aria-invalid"), pack.getAttribute("aria-invalid")]).toEqual(["true", null]);
    expect(text.getAttribute("aria-label")).toBe("Text");
    expect(form.querySelector("img")?.getAttribute("alt")).toBe("");
    model.set("problems", []);
    await nextFrame();
    expect(text.getAttribute("aria-invalid")).toBeNull();
  });

  it("lets sections be opened by keyboard", async () => {
    const { form } = await openSummary(problems);
    const [header] = all(form, ".jupyter-widget-Collapse-header");
    const clicked = vi.fn();
    header.addEventListener("click", clicked);
    expect([header.getAttribute("role"), header.getAttribute("aria-expanded")]).toEqual(["button", "true"]);
    header.focus();
    expect([press("Enter"), press(" "), press("x")]).toEqual([true, true, false]);
    expect(clicked).toHaveBeenCalledTimes(2);
  });

  it("does not redraw the list, which may have the focus, for the same problems", async () => {
    const { el, model } = await openSummary(problems);
    const [link] = all(el, "a");
    model.set("problems", [...problems]);
    expect(all(el, "a")[0]).toBe(link);
  });
});

const openRequest = async () => {
  const texts = { cURL: "curl -X POST", Python: "requests.post()", JSON: EVIL };
  const kernel = createModel({ texts, note: "", language: "cURL" });
  const { el, close } = await show(requestView, kernel.model);
  return {
    ...kernel,
    el,
    close,
    tabs: all(el, "[role=tab]"),
    status: () => el.querySelector("[role=status]")?.textContent,
  };
};

/** @param {((text: string) => Promise<void>) | undefined} writeText */
const setClipboard = (writeText) =>
  Object.defineProperty(navigator, "clipboard", { value: writeText && { writeText }, configurable: true });

describe("the request", () => {
  it("shows the chosen language, as text", async () => {
    const { el, tabs } = await openRequest();
    expect(el.querySelector("pre")?.textContent).toBe("curl -X POST");
    tabs[2].click();
    expect(el.querySelector("pre")?.textContent).toBe(EVIL);
    expect(tabs.map((tab) => tab.getAttribute("aria-selected"))).toEqual(["false", "false", "true"]);
  });

  it("changes the language by arrow keys, and comes round", async () => {
    const { model, tabs } = await openRequest();
    tabs[0].focus();
    press("ArrowLeft");
    expect([model.get("language"), document.activeElement]).toEqual(["JSON", tabs[2]]);
    press("ArrowRight");
    expect([model.get("language"), document.activeElement]).toEqual(["cURL", tabs[0]]);
    expect(press("ArrowDown")).toBe(false);
  });

  it("copies what is shown, and says so until the text changes", async () => {
    const { el, model, status } = await openRequest();
    const writeText = vi.fn(async () => {});
    setClipboard(writeText);
    button(el, "Copy").click();
    await nextFrame();
    expect(writeText).toHaveBeenCalledWith("curl -X POST");
    expect(status()).toBe("Copied");
    model.set("texts", { ...model.get("texts"), cURL: "curl" });
    expect(status()).toBe("");
  });

  it("selects the text where the clipboard is closed, and names the shortcut", async () => {
    const { el, status } = await openRequest();
    setClipboard(undefined);
    document.execCommand = () => false;
    button(el, "Copy").click();
    await nextFrame();
    expect(status()).toBe("Selected; press Ctrl-C");
    expect(String(window.getSelection())).toBe("curl -X POST");
    document.execCommand = () => true;
    expect(await copyText("curl", /** @type {Element} */ (el.querySelector("pre")))).toBe(true);
  });
});
