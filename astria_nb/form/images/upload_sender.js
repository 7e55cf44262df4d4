// @ts-check
// Sends photos to the kernel in chunks. The messages are described in drop_zone_messages.py. The kernel keeps the
// state of all uploads (`transfers`); a page holds only the files themselves, which are gone once it is reloaded.
import { createFrameTask, listenTo } from "../../utils/dom.js";
import { chunksInFlight, countPhotos, formatProgress, nextChunk } from "./upload_chunks.js";

/**
 * @typedef {{ id: string, name: string, size: number, received: number, state: string, problem: string }} TransferRow
 * @typedef {{ accept: string, most: number, transfers: TransferRow[] }} State
 */
/**
 * @typedef {{ kind: "hello", page: string }
 *   | { kind: "offer", page: string, files: { id: string, name: string, size: number }[] }
 *   | { kind: "chunk", id: string, offset: number }
 *   | { kind: "ask", id: string }
 *   | { kind: "lost", id: string }
 *   | { kind: "cancel", ids: string[] }} ToKernel
 * @typedef {{ kind: "have", id: string, offset: number }
 *   | { kind: "again", id: string, offset: number }
 *   | { kind: "stop", id: string }} FromKernel
 */
/** @typedef {import("../../utils/dom.js").Model<State, ToKernel>} Model */
/** @typedef {{ show: () => void, announce: (text: string) => void }} View */
/** @typedef {import("./upload_chunks.js").Upload} Upload */

const BUSY_AFTER = 1500; // ms without an answer until the kernel counts as busy
const ASK_AFTER = 10_000; // ms without an answer until the kernel is asked what it has received
const ANNOUNCE_EVERY = 5000; // ms between two announcements of progress to screen readers
const TICK = 500; // ms

/** Sends the files of this page, for all views of one widget. */
export class UploadSender {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    this.page = [...crypto.getRandomValues(new Uint32Array(3))].map((word) => word.toString(36)).join("");
    /** @type {Map<string, Upload>} that are neither complete nor cancelled */
    this.uploads = new Map();
    /** @type {Set<string>} */
    this.cancelled = new Set();
    /** @type {Map<string, number>} bytes by id, also of files that another page sends */
    this.received = new Map();
    /** @type {Set<View>} */
    this.views = new Set();
    this.note = "";
    this.hasKernelStopped = false;
    this.isLosingBytes = false; // messages arrive, the bytes that were attached to them do not
    this.idCount = 0;
    this.completedCount = 0;
    this.isPumping = false;
    this.waitingSince = 0; // time in ms; 0 while no answer is due
    this.askedAt = 0;
    this.announcedAt = 0;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.ticking = undefined;
    this.drawing = createFrameTask(() => {
      for (const view of this.views) view.show();
    });
    listenTo(model, {
      "msg:custom": (message) => this.onMessage(message),
      "change:transfers": () => this.drawing.schedule(),
      comm_live_update: () => this.onKernelStopped(), // ipywidgets sends it when the kernel is gone
    });
    this.post({ kind: "hello", page: this.page });
  }

  get isSending() {
    return this.uploads.size > 0;
  }

  get isWaiting() {
    return this.waitingSince > 0 && Date.now() - this.waitingSince > BUSY_AFTER;
  }

  get progress() {
    const uploads = [...this.uploads.values()];
    const acknowledged = uploads.reduce((sum, upload) => sum + upload.acknowledged, 0);
    const size = uploads.reduce((sum, upload) => sum + upload.file.size, 0);
    return `${countPhotos(uploads.length)} to send, ${formatProgress(acknowledged, size)}`;
  }

  /**
   * @param {ToKernel} message
   * @param {ArrayBuffer[]} [buffers]
   */
  post(message, buffers = []) {
    if (!this.hasKernelStopped) this.model.send(message, undefined, buffers);
  }

  /** Expect an answer from the kernel. */
  expectAnswer() {
    if (this.waitingSince === 0) this.waitingSince = this.askedAt = Date.now();
  }

  /**
   * Tell screen readers something, once on the page.
   *
   * @param {string} text
   */
  announce(text) {
    for (const view of [...this.views].slice(0, 1)) view.announce(text);
  }

  /**
   * Queue files for sending.
   *
   * @param {File[]} files
   * @param {string} [remark]
   */
  add(files, remark = "") {
    if (this.hasKernelStopped) return;
    const accepted = files.slice(0, this.model.get("most"));
    const omitted = accepted.length < files.length;
    this.note = (omitted ? `Only the first ${accepted.length} of ${files.length} files were added. ` : "") + remark;
    const uploads = accepted.map((file) => {
      this.idCount += 1;
      return { id: `${this.page}.${this.idCount}`, file, sent: 0, acknowledged: 0, isAccepted: false };
    });
    for (const upload of uploads) this.uploads.set(upload.id, upload);
    if (uploads.length) {
      this.offer(uploads);
      this.announce(`Sending ${countPhotos(uploads.length)}`);
      this.announcedAt = Date.now();
      this.ticking ??= setInterval(() => this.tick(), TICK);
    }
    this.drawing.schedule();
  }

  /** @param {Upload[]} uploads */
  offer(uploads) {
    const files = uploads.map(({ id, file }) => ({ id, name: file.name, size: file.size }));
    this.post({ kind: "offer", page: this.page, files });
    this.expectAnswer();
  }

  /** Send chunks until enough of them are in flight. */
  async pump() {
    if (this.isPumping) return;
    this.isPumping = true;
    for (;;) {
      const chunk = this.hasKernelStopped ? undefined : nextChunk([...this.uploads.values()]);
      if (!chunk) break;
      const { upload, start, end } = chunk;
      const bytes = await upload.file
        .slice(start, end)
        .arrayBuffer()
        .catch(() => undefined); // the file was deleted or changed on the user's disk
      if (!this.uploads.has(upload.id) || upload.sent !== start) continue; // cancelled or rewound meanwhile
      if (bytes?.byteLength !== end - start) {
        this.uploads.delete(upload.id);
        this.post({ kind: "lost", id: upload.id });
        continue;
      }
      upload.sent = end;
      this.post({ kind: "chunk", id: upload.id, offset: start }, [bytes]);
      this.expectAnswer();
    }
    this.isPumping = false;
  }

  /** @param {FromKernel} message */
  onMessage(message) {
    const upload = this.uploads.get(message.id);
    this.waitingSince = 0;
    this.received.set(message.id, message.kind === "stop" ? 0 : message.offset);
    if (upload && message.kind === "stop") this.uploads.delete(upload.id);
    if (upload && message.kind === "again") {
      this.isLosingBytes = upload.sent > message.offset && upload.acknowledged >= message.offset;
      upload.sent = upload.acknowledged = message.offset;
    }
    if (upload && message.kind === "have") this.acknowledge(upload, message.offset);
    const uploads = [...this.uploads.values()];
    if (!uploads.length) this.finish();
    else if (chunksInFlight(uploads) || uploads.some((pending) => !pending.isAccepted)) this.expectAnswer();
    this.pump();
    this.drawing.schedule();
  }

  /**
   * @param {Upload} upload
   * @param {number} offset
   */
  acknowledge(upload, offset) {
    upload.isAccepted = true;
    if (offset > upload.acknowledged) this.isLosingBytes = false;
    upload.acknowledged = Math.max(upload.acknowledged, offset);
    upload.sent = Math.max(upload.sent, upload.acknowledged);
    if (upload.acknowledged < upload.file.size) return;
    this.uploads.delete(upload.id);
    this.completedCount += 1;
  }

  finish() {
    clearInterval(this.ticking);
    this.ticking = undefined;
    if (this.completedCount) this.announce(`${countPhotos(this.completedCount)} received`);
    this.completedCount = 0;
  }

  tick() {
    const now = Date.now();
    if (this.waitingSince && now - this.askedAt > ASK_AFTER) {
      this.askedAt = now;
      const uploads = [...this.uploads.values()];
      const upload = uploads.find((pending) => !pending.isAccepted || pending.acknowledged < pending.file.size);
      if (upload?.isAccepted) this.post({ kind: "ask", id: upload.id });
      else if (upload) this.offer([upload]);
    }
    if (now - this.announcedAt > ANNOUNCE_EVERY) {
      this.announcedAt = now;
      this.announce(this.isWaiting ? "Waiting for the kernel" : this.progress);
    }
    this.drawing.schedule();
  }

  /** @param {string[]} ids */
  cancel(ids) {
    for (const id of ids) {
      this.uploads.delete(id);
      this.cancelled.add(id);
    }
    this.post({ kind: "cancel", ids });
    this.announce(ids.length === 1 ? "Cancelled" : `${ids.length} cancelled`);
    if (!this.isSending) this.finish();
    this.drawing.schedule();
  }

  /**
   * Return a line for each file: those of the kernel, then those that the kernel has not answered yet.
   *
   * @returns {TransferRow[]}
   */
  lines() {
    const lines = this.model.get("transfers").filter((line) => !this.cancelled.has(line.id));
    const ids = new Set(lines.map((line) => line.id));
    for (const { id, file, acknowledged } of this.uploads.values()) {
      if (ids.has(id)) continue;
      lines.push({ id, name: file.name, size: file.size, received: acknowledged, state: "coming", problem: "" });
    }
    return lines.map((line) => ({ ...line, received: Math.max(line.received, this.received.get(line.id) ?? 0) }));
  }

  onKernelStopped() {
    this.hasKernelStopped = true;
    this.uploads.clear();
    this.finish();
    this.drawing.schedule();
  }

  close() {
    clearInterval(this.ticking);
    this.drawing.cancel();
  }
}
