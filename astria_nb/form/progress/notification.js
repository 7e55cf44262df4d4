// @ts-check
// A switch for a notification of the browser when a tune is done. Sends no custom messages.
import { listenTo, make, setText } from "../../utils/dom.js";

/**
 * @typedef {{
 *   wanted: boolean,
 *   title: string,
 *   message: string,
 * }} State
 * `message` is empty until the tune is done.
 */
/** @typedef {import("../../utils/dom.js").Model<State, never>} Model */

const BLOCKED = "This page may not show notifications: allow them in the browser's settings for this site.";

/**
 * Ask the browser for notifications, and return why there are none; an empty text if there are.
 *
 * @returns {Promise<string>}
 */
export async function askForNotifications() {
  if (!window.isSecureContext) return "Notifications need an address that begins with https, or with localhost.";
  if (!("Notification" in window)) return "This browser shows no notifications.";
  try {
    const permission =
      Notification.permission === "default" ? await Notification.requestPermission() : Notification.permission;
    if (permission === "granted") return "";
    return permission === "denied" ? BLOCKED : "Notifications were not allowed; press again to be asked again.";
  } catch {
    return BLOCKED; // such as in a frame of another site
  }
}

/**
 * Show a notification.
 *
 * @param {string} title
 * @param {string} body
 * @param {(problem: string) => void} onProblem called with why there is none
 */
export function notify(title, body, onProblem) {
  try {
    // Of several pages that show the same form, each replaces the one before.
    const notification = new Notification(title, { body, tag: `astria ${title} ${body}` });
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
    notification.onerror = () => onProblem(BLOCKED);
  } catch {
    onProblem(BLOCKED); // such as on a phone, where only an installed page may
  }
}

/** @param {{ model: Model, el: HTMLElement }} context */
function render({ model, el }) {
  const box = make("input", { type: "checkbox", checked: model.get("wanted") });
  const status = make("span", { attributes: { role: "status" } });
  el.classList.add("astria-notification");
  el.hidden = Boolean(model.get("message"));
  el.append(make("label", {}, box, make("span", { textContent: "Notify me when it is done" })), status);

  /** @param {boolean} isWanted */
  function setWanted(isWanted) {
    model.set("wanted", isWanted);
    model.save_changes();
  }

  box.addEventListener("change", async () => {
    setText(status, "");
    if (!box.checked) {
      setWanted(false);
      return;
    }
    const problem = await askForNotifications();
    setText(status, problem);
    box.checked = !problem;
    if (!problem) setWanted(true);
  });
  return listenTo(model, {
    "change:wanted": () => {
      box.checked = model.get("wanted");
    },
    // Not when the widget is drawn: a notebook that is opened again tells nothing new.
    "change:message": () => {
      const isDone = model.get("message") && model.get("wanted");
      el.hidden = Boolean(isDone);
      if (!isDone) return;
      setWanted(false);
      notify(model.get("title"), model.get("message"), (problem) => {
        el.hidden = false;
        setText(status, problem);
      });
    },
  });
}

export default { render };
