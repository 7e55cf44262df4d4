// A kernel of the server that the page comes from, and what a cell shows.
import { KernelAPI, ServerConnection } from "@jupyterlab/services";
import { KernelConnection } from "@jupyterlab/services/lib/kernel/default";

const MIME = "application/vnd.jupyter.widget-view+json";
const PATIENCE = 60000; // ms
export const TARGET = "jupyter.widget";

export async function start(token) {
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: `${location.origin}/`, wsUrl: `${location.origin.replace("http", "ws")}/`, token, appendToken: true,
  });
  // Without a manager: one that asks for a list just before takes the new kernel for one that has ended.
  const model = await KernelAPI.startNew({ name: "python3" }, serverSettings);
  return new KernelConnection({ model, serverSettings, handleComms: true });
}

/** Runs a cell, and returns what it shows, and what it printed. */
export async function run(kernel, code) {
  const future = kernel.requestExecute({ code });
  const [shown, printed] = [[], []];
  future.onIOPub = ({ header, content }) => {
    if (content.data?.[MIME]) shown.push(content.data[MIME]);
    if (header.msg_type === "stream") printed.push(content.text);
    if (header.msg_type === "error") printed.push(content.traceback.join("\n"));
  };
  const silence = new Promise((_, fail) => setTimeout(() => fail(new Error("the kernel did not answer")), PATIENCE));
  await Promise.race([future.done, silence]);
  return { shown, printed: printed.join("") };
}

/** Tells the notebook how high the output is, whenever that changes. */
export function measure(node) {
  new ResizeObserver(() => parent.postMessage({ height: node.getBoundingClientRect().height }, "*")).observe(node);
}

/** Tells the notebook which colours the page has. */
export function tell() {
  const { backgroundColor, color } = getComputedStyle(document.body);
  parent.postMessage({ ground: backgroundColor, text: color }, "*");
}
