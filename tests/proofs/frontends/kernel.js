// A kernel of the server that the page comes from, and the output of a cell.
import { KernelAPI, ServerConnection } from "@jupyterlab/services";
import { KernelConnection } from "@jupyterlab/services/lib/kernel/default";

const MIME = "application/vnd.jupyter.widget-view+json";
const TIMEOUT = 60_000; // ms
export const TARGET = "jupyter.widget";

export async function start(token) {
  const serverSettings = ServerConnection.makeSettings({
    baseUrl: `${location.origin}/`, wsUrl: `${location.origin.replace("http", "ws")}/`, token, appendToken: true,
  });
  // Without a kernel manager: one that fetched its list just before would take the new kernel for a dead one.
  const model = await KernelAPI.startNew({ name: "python3" }, serverSettings);
  return new KernelConnection({ model, serverSettings, handleComms: true });
}

/** Runs a cell, and returns the widgets it displays and the text it prints. */
export async function run(kernel, code) {
  const future = kernel.requestExecute({ code });
  const [widgets, printed] = [[], []];
  future.onIOPub = ({ header, content }) => {
    if (content.data?.[MIME]) widgets.push(content.data[MIME]);
    if (header.msg_type === "stream") printed.push(content.text);
    if (header.msg_type === "error") printed.push(content.traceback.join("\n"));
  };
  const timeout = new Promise((_, fail) => setTimeout(() => fail(new Error("the kernel did not answer")), TIMEOUT));
  await Promise.race([future.done, timeout]);
  return { widgets, printed: printed.join("") };
}

/** Reports the height of the output to the notebook, whenever it changes. */
export function reportHeight(node) {
  new ResizeObserver(() => parent.postMessage({ height: node.getBoundingClientRect().height }, "*")).observe(node);
}

/** Reports the colours of the page to the notebook. */
export function reportColours() {
  const { backgroundColor, color } = getComputedStyle(document.body);
  parent.postMessage({ ground: backgroundColor, text: color }, "*");
}
