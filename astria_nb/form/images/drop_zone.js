// @ts-check
// Takes photos that are dropped, pasted or picked, and shows each upload with its progress.
import { keepPlainKeys, make, makeButton, shortcut } from "../../utils/dom.js";
import { droppedFiles } from "./dropped_files.js";
import { formatProgress } from "./upload_chunks.js";
import { UploadSender } from "./upload_sender.js";

/** @typedef {import("./upload_sender.js").TransferRow} TransferRow */
/** @typedef {import("./upload_sender.js").Model} Model */

/**
 * Create the row of one file.
 *
 * @param {() => void} onCancel
 */
function createRow(onCancel) {
  const name = make("span", { className: "astria-drop-name" });
  const bar = make("progress");
  const text = make("span", { className: "astria-drop-text" });
  const button = makeButton("Cancel", onCancel, "astria-drop-button");
  const element = make("li", { className: "astria-drop-row" }, name, bar, text, button);
  /** @param {TransferRow} line */
  function update(line) {
    const isComing = line.state === "coming";
    name.textContent = name.title = line.name;
    element.classList.toggle("astria-drop-wrong", !isComing);
    bar.hidden = !isComing;
    bar.max = line.size || 1;
    bar.value = line.received;
    bar.setAttribute("aria-label", `Received of ${line.name}`);
    text.textContent = isComing ? formatProgress(line.received, line.size) : line.problem;
    button.textContent = isComing ? "Cancel" : "Dismiss";
    button.setAttribute("aria-label", `${button.textContent} ${line.name}`);
  }
  return { element, update };
}

/**
 * Create the list of uploads with the line above it.
 *
 * @param {UploadSender} sender
 * @param {() => void} focusInput called when the focused row is removed
 */
function createUploadList(sender, focusInput) {
  const summary = make("span", { className: "astria-drop-summary" });
  const cancelAll = makeButton("Cancel all", onCancelAll, "astria-drop-button");
  const head = make("div", { className: "astria-drop-head" }, summary, cancelAll);
  const list = make("ul", { className: "astria-drop-rows", attributes: { "aria-label": "Photos being uploaded" } });
  /** @type {Map<string, ReturnType<typeof createRow>>} */
  const rows = new Map();

  function onCancelAll() {
    const lines = sender.lines();
    const coming = lines.filter((line) => line.state === "coming");
    sender.cancel((coming.length > 1 ? coming : lines).map((line) => line.id));
    focusInput();
  }

  /** @param {TransferRow[]} lines */
  function updateRows(lines) {
    const ids = new Set(lines.map((line) => line.id));
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      // Keyboard users continue from here and not from the top of the page.
      if (row.element.contains(document.activeElement)) focusInput();
      row.element.remove();
      rows.delete(id);
    }
    for (const line of lines) {
      const row = rows.get(line.id) ?? createRow(() => sender.cancel([line.id]));
      if (!rows.has(line.id)) list.append(row.element);
      rows.set(line.id, row);
      row.update(line);
    }
  }

  function show() {
    const lines = sender.lines();
    updateRows(lines);
    const comingCount = lines.filter((line) => line.state === "coming").length;
    const failedCount = lines.length - comingCount;
    summary.textContent = [statusText(sender), sender.note].filter(Boolean).join(" ");
    cancelAll.hidden = comingCount < 2 && (comingCount > 0 || failedCount < 2);
    cancelAll.textContent = comingCount > 1 ? "Cancel all" : "Dismiss all";
    head.hidden = !summary.textContent && cancelAll.hidden;
    list.hidden = !lines.length;
  }
  return { elements: [head, list], show };
}

const KERNEL_STOPPED =
  "The kernel has stopped. Run the cell again (in an app, load this page again), then add the photos again.";
const NO_FILES =
  "The photos do not arrive: this application does not pass files on. Add them under From the server, or their links under URLs.";

/** @param {UploadSender} sender */
function statusText(sender) {
  if (sender.hasKernelStopped) return KERNEL_STOPPED;
  if (sender.isLosingBytes && sender.isSending) return NO_FILES;
  if (sender.isWaiting) return "Waiting for the kernel: it is busy. The upload continues when it is free.";
  return sender.isSending ? sender.progress : "";
}

/**
 * Take drops on the whole form: a photo that misses the zone would replace the page.
 *
 * @param {HTMLElement} el
 * @param {HTMLElement} root
 * @param {(transfer: DataTransfer) => void} onDrop
 */
function listenForDrops(el, root, onDrop) {
  const area = () => el.closest(".astria-form") ?? root;
  const highlight = (/** @type {boolean} */ isOver) => area().classList.toggle("astria-drop-over", isOver);
  const isOurs = (/** @type {DragEvent} */ event) =>
    [...(event.dataTransfer?.types ?? [])].includes("Files") && area().contains(/** @type {Node} */ (event.target));
  const page = el.ownerDocument;
  const removal = new AbortController();
  const options = { capture: true, signal: removal.signal };
  page.addEventListener(
    "dragover",
    (event) => {
      highlight(isOurs(event));
      if (isOurs(event)) event.preventDefault();
    },
    options,
  );
  page.addEventListener("dragleave", (event) => event.relatedTarget || highlight(false), options);
  page.addEventListener(
    "drop",
    (event) => {
      highlight(false);
      if (!isOurs(event) || !event.dataTransfer) return;
      event.preventDefault();
      event.stopPropagation();
      onDrop(event.dataTransfer);
    },
    options,
  );
  return () => removal.abort();
}

/**
 * @param {{ model: Model, el: HTMLElement }} context
 * @param {UploadSender} sender
 */
function render({ model, el }, sender) {
  const accept = model.get("accept").split(",");
  const input = make("input", {
    type: "file",
    multiple: true,
    accept: accept.join(","),
    className: "astria-drop-input",
  });
  const zone = make(
    "div",
    {
      className: "astria-drop-zone",
      tabIndex: -1,
      attributes: { role: "group", "aria-label": "Photos from this computer" },
    },
    make("label", { className: "astria-drop-pick" }, input, make("span", { textContent: "Choose photos" })),
    make("span", { textContent: `or drop them here, or click here and paste them with ${shortcut("V")}` }),
  );
  const uploads = createUploadList(sender, () => input.focus());
  const status = make("div", { className: "astria-drop-spoken", attributes: { role: "status" } });
  const root = make("div", { className: "astria-drop" }, zone, ...uploads.elements, status);
  keepPlainKeys(root);
  el.append(root);

  input.addEventListener("change", () => {
    sender.add([...(input.files ?? [])]);
    input.value = ""; // so that the same file can be picked again
  });
  root.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) {
      event.preventDefault();
      event.stopPropagation();
    }
    sender.add(files, files.length ? "" : "There is no photo on the clipboard.");
  });
  const stopDrops = listenForDrops(el, root, async (transfer) => {
    const { files, remark } = await droppedFiles(transfer, accept);
    sender.add(files, remark);
  });

  const view = {
    show: uploads.show,
    announce(/** @type {string} */ text) {
      status.textContent = text;
    },
  };
  sender.views.add(view);
  view.show();
  return () => {
    sender.views.delete(view);
    stopDrops();
  };
}

// A function, so that all views of one widget share a sender: a file dropped on one view is sent once.
export default () => {
  /** @type {UploadSender} */
  let sender;
  return {
    /** @param {{ model: Model }} context */
    initialize({ model }) {
      sender = new UploadSender(model);
      return () => sender.close();
    },
    /** @param {{ model: Model, el: HTMLElement }} context */
    render: (context) => render(context, sender),
  };
};
