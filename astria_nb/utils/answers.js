// @ts-check
// Whether the kernel answers what is done with a widget. A page does not always hear that the kernel is gone: another
// window may have restarted it, or the server ended it.
import { createTimer, listenTo } from "./dom.js";

/** @typedef {{ kind: "ping" }} ToKernel */
/** @typedef {{ kind: "pong" }} FromKernel */
/** @typedef {{ content: { execution_state?: string } }} StatusMessage */
/**
 * JupyterLab's connection to a kernel, as far as it is read here.
 *
 * @typedef {object} Connection
 * @property {string} [connectionStatus]
 * @property {string} [id]
 * @property {{ baseUrl: string, token: string, fetch: typeof fetch, init: RequestInit }} [serverSettings]
 */

const PATIENCE = 4000; // ms without an answer until it is found out whether one can come

/**
 * Ask the kernel for an answer at each click in a widget, and each change of a field.
 *
 * That no answer comes does not tell: a kernel that runs a cell answers after it. But a kernel that is done with the
 * question (its status is `idle` again), and has not answered, does not have the widget; and no answer can come once the
 * connection is given up, or from a kernel that the server does not have. Where a frontend shows none of this, nothing
 * is said.
 *
 * @param {object} options
 * @param {{ on: Function, off: Function, send: (message: ToKernel, callbacks?: object) => unknown,
 *   widget_manager?: unknown }} options.model
 * @param {Element} options.widget
 * @param {() => void} options.onSilence
 * @param {() => void} options.onAnswer
 * @returns {() => void} stops
 */
export function watchAnswers({ model, widget, onSilence, onAnswer }) {
  let askedCount = 0;
  let answerDue = 0; // number of the latest question without an answer; 0 for none
  const patience = createTimer(async () => {
    if ((await isGone(model.widget_manager)) && answerDue) onSilence();
  }, PATIENCE);

  /** @param {Event} event */
  const ask = (event) => {
    if (!event.composedPath().includes(widget)) return;
    askedCount += 1;
    const question = askedCount;
    /** @param {StatusMessage} message */
    const status = ({ content }) => {
      if (content.execution_state === "idle" && answerDue === question) onSilence();
    };
    answerDue = question;
    patience.start();
    try {
      model.send({ kind: "ping" }, { iopub: { status } });
    } catch {
      onSilence(); // the connection is closed
    }
  };

  const stopListening = listenTo(model, {
    "msg:custom": (/** @type {{ kind: string }} */ message) => {
      if (message.kind !== "pong") return;
      answerDue = 0;
      patience.stop();
      onAnswer();
    },
  });
  const page = widget.ownerDocument; // hears clicks that the form holds back, too
  for (const name of ["click", "change"]) page.addEventListener(name, ask, true);
  return () => {
    for (const name of ["click", "change"]) page.removeEventListener(name, ask, true);
    patience.stop();
    answerDue = 0;
    stopListening();
  };
}

/**
 * Return whether the kernel cannot be reached. A server that ended it leaves the connection open.
 *
 * @param {unknown} manager
 */
async function isGone(manager) {
  const { kernel } = /** @type {{ kernel?: Connection | null }} */ (manager ?? {});
  const { connectionStatus = "connected", id, serverSettings } = kernel ?? {};
  if (connectionStatus === "disconnected") return true; // while it is connecting, what was sent and held waits
  if (!id || !serverSettings) return false;
  const { baseUrl, token, init, fetch } = serverSettings; // the browser's, which is no method of another object
  const headers = new Headers(token ? { Authorization: `token ${token}` } : {});
  try {
    const response = await fetch(`${baseUrl}api/kernels/${id}`, { ...init, headers });
    // Jupyter's servers answer in JSON; where there is none, as in VS Code, there may be a page that says "not found".
    return response.status === 404 && Boolean(await response.json());
  } catch {
    return false;
  }
}
