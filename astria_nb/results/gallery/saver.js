// @ts-check
// Saves pictures on the reader's own computer. The kernel sends a file in pieces; the page acknowledges each once it
// has it, and puts them together: into a file that the reader chose where the browser offers that, else in its memory.
import { createTimer } from "../../utils/dom.js";

/**
 * @typedef {{ kind: "save", transfer: string, id: string }
 *   | { kind: "received", transfer: string, offset: number }
 *   | { kind: "cancel_save", transfer: string }} ToKernel
 * @typedef {{ kind: "piece", transfer: string, offset: number, progress: string, fraction: number }
 *   | { kind: "saved", transfer: string, name: string, size: number, summary: string }
 *   | { kind: "save_failed", transfer: string, problem: string }} SaveMessage
 * @typedef {{ write: (data: Blob) => Promise<void>, close: () => Promise<void>, abort: () => Promise<void> }} Writer
 * @typedef {{ text: string, fraction?: number, isActive: boolean, isProblem: boolean }} SaveStatus
 */
/**
 * @typedef {object} Transfer
 * @property {string} name
 * @property {Blob[]} pieces kept by the browser, which may move them to its disk
 * @property {Writer | undefined} writer of the file that the reader chose
 * @property {number} size bytes that have arrived
 * @property {Promise<void>} written settles when all that has arrived is in its place
 * @property {(status: SaveStatus) => void} onStatus
 * @property {{ restart: () => void, stop: () => void }} silence what is shown while the kernel is busy
 */

const BUSY_AFTER = 3000; // ms without a message of the kernel, which answers nothing while a cell runs
const ARCHIVE = "astria_pictures.zip";
const MAX_PICTURES_IN_MEMORY = 100; // more go straight into a file, where the browser offers that
const KEEP_URL = 60_000; // ms; VS Code reads the file after the click
const TYPES = [{ description: "Zip file", accept: { "application/zip": [".zip"] } }];

/**
 * Ask the reader for a file, and return a writer for it: undefined where the browser, or the frame that the page is
 * in, does not offer that, and null if the reader decided against it.
 *
 * @returns {Promise<Writer | undefined | null>}
 */
async function askForFile() {
  const { showSaveFilePicker } = /** @type {any} */ (window);
  if (!showSaveFilePicker) return undefined;
  try {
    const file = await showSaveFilePicker({ suggestedName: ARCHIVE, types: TYPES });
    return await file.createWritable();
  } catch (error) {
    return /** @type {Error} */ (error).name === "AbortError" ? null : undefined;
  }
}

export class Saver {
  /**
   * @param {(message: ToKernel) => void} send
   * @param {HTMLElement} root an element on the page
   */
  constructor(send, root) {
    this.send = send;
    this.root = root;
    this.page = [...crypto.getRandomValues(new Uint32Array(3))].map((word) => word.toString(36)).join("");
    /** @type {Map<string, Transfer>} by name */
    this.transfers = new Map();
    this.count = 0;
    this.onPageHidden = () => this.close(); // the kernel need not wait for a page that was left
    window.addEventListener("pagehide", this.onPageHidden);
  }

  /**
   * Save a picture, or all as one zip file, and return a function that cancels it.
   *
   * @param {string} id of the picture; empty for all
   * @param {number} count of the pictures
   * @param {(status: SaveStatus) => void} onStatus
   */
  start(id, count, onStatus) {
    this.count += 1;
    const name = `${this.page}.${this.count}`;
    /** @type {Transfer} */
    const transfer = {
      ...{ name, pieces: [], writer: undefined, size: 0, written: Promise.resolve(), onStatus },
      silence: createTimer(() => this.show(transfer, "Waiting for the kernel: it is busy"), BUSY_AFTER),
    };
    this.transfers.set(name, transfer);
    this.show(transfer, "Waiting for the kernel");
    transfer.silence.restart();
    this.request(transfer, id, count);
    return () => this.cancel(transfer);
  }

  /**
   * @param {Transfer} transfer
   * @param {string} text
   * @param {number} [fraction] default: as before
   */
  show(transfer, text, fraction) {
    transfer.onStatus({ text, fraction, isActive: true, isProblem: false });
  }

  /**
   * @param {Transfer} transfer
   * @param {string} id
   * @param {number} count
   */
  async request(transfer, id, count) {
    if (!id && count > MAX_PICTURES_IN_MEMORY) {
      const writer = await askForFile();
      if (writer) transfer.writer = writer;
      if (writer === null) this.end(transfer, "Download cancelled");
      if (!this.transfers.has(transfer.name)) {
        await writer?.abort();
        return;
      }
    }
    this.send({ kind: "save", transfer: transfer.name, id });
  }

  /**
   * @param {SaveMessage} message
   * @param {DataView | undefined} bytes
   */
  onMessage(message, bytes) {
    const transfer = this.transfers.get(message.transfer); // that of another page is not here
    if (!transfer) return;
    if (message.kind === "save_failed") this.end(transfer, message.problem, true);
    else if (message.kind === "piece") this.receive(transfer, message, bytes);
    else transfer.written = transfer.written.then(() => this.finish(transfer, message));
  }

  /**
   * @param {Transfer} transfer
   * @param {{ offset: number, progress: string, fraction: number }} message
   * @param {DataView | undefined} bytes
   */
  receive(transfer, { offset, progress, fraction }, bytes) {
    this.show(transfer, progress, fraction);
    transfer.silence.restart();
    if (!bytes) return;
    if (offset !== transfer.size) {
      this.stop(transfer, "A part of the file was lost; download again");
      return;
    }
    transfer.size += bytes.byteLength;
    const received = transfer.size;
    const piece = new Blob([/** @type {BlobPart} */ (bytes)]);
    transfer.written = transfer.written.then(() => this.store(transfer, piece, received));
  }

  /**
   * @param {Transfer} transfer
   * @param {Blob} piece
   * @param {number} offset of its end
   */
  async store(transfer, piece, offset) {
    if (!this.transfers.has(transfer.name)) return;
    try {
      if (transfer.writer) await transfer.writer.write(piece);
      else transfer.pieces.push(piece);
      this.send({ kind: "received", transfer: transfer.name, offset });
    } catch (error) {
      this.stop(transfer, `The file could not be written (${/** @type {Error} */ (error).message}); download again`);
    }
  }

  /**
   * @param {Transfer} transfer
   * @param {{ name: string, size: number, summary: string }} message
   */
  async finish(transfer, { name, size, summary }) {
    if (!this.transfers.has(transfer.name)) return;
    if (transfer.size !== size) {
      this.stop(transfer, "A part of the file was lost; download again");
      return;
    }
    try {
      if (transfer.writer) await transfer.writer.close();
      else this.handOver(new Blob(transfer.pieces, { type: "application/octet-stream" }), name);
      transfer.writer = undefined;
      this.end(transfer, summary);
    } catch (error) {
      this.stop(transfer, `The file could not be written (${/** @type {Error} */ (error).message}); download again`);
    }
  }

  /**
   * Let the browser save a file as it saves a download.
   *
   * @param {Blob} file
   * @param {string} name
   */
  handOver(file, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.hidden = true;
    this.root.append(link); // VS Code saves the file when the click reaches its document
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), KEEP_URL);
  }

  /** @param {Transfer} transfer */
  cancel(transfer) {
    if (this.transfers.has(transfer.name)) this.stop(transfer, "Download cancelled", false);
  }

  /**
   * Give a file up, and tell the kernel.
   *
   * @param {Transfer} transfer
   * @param {string} text
   * @param {boolean} [isProblem]
   */
  stop(transfer, text, isProblem = true) {
    this.send({ kind: "cancel_save", transfer: transfer.name });
    this.end(transfer, text, isProblem);
  }

  /**
   * @param {Transfer} transfer
   * @param {string} text
   * @param {boolean} [isProblem]
   */
  end(transfer, text, isProblem = false) {
    this.transfers.delete(transfer.name);
    transfer.silence.stop();
    transfer.writer?.abort().catch(() => {}); // of a file that is not complete; nothing of it stays
    transfer.pieces = [];
    transfer.onStatus({ text, isActive: false, isProblem });
  }

  /** End all downloads; others can be started. */
  close() {
    for (const transfer of [...this.transfers.values()]) this.cancel(transfer);
  }

  destroy() {
    this.close();
    window.removeEventListener("pagehide", this.onPageHidden);
  }
}
