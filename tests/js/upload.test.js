// @ts-check
import { beforeEach, describe, expect, it, vi } from "vitest";
import dropZone from "../../astria_nb/form/images/drop_zone.js";
import { droppedFiles } from "../../astria_nb/form/images/dropped_files.js";
import {
  CHUNK_BYTES,
  chunksInFlight,
  formatProgress,
  MAX_CHUNKS_IN_FLIGHT,
  nextChunk,
} from "../../astria_nb/form/images/upload_chunks.js";
import { all, button, createModel, nextFrame, show } from "./model.js";

const photo = (/** @type {string} */ name, size = 10) => new File([new Uint8Array(size)], name, { type: "image/jpeg" });
const upload = (/** @type {number} */ size, /** @type {object} */ state) => ({
  ...{ id: "a", sent: 0, acknowledged: 0, isAccepted: true },
  file: /** @type {File} */ ({ size }),
  ...state,
});

describe("the next chunk", () => {
  it("is 1 MiB, and the last one is shorter", () => {
    expect(CHUNK_BYTES).toBe(1024 * 1024);
    const size = CHUNK_BYTES + 5;
    expect(nextChunk([upload(size, {})])).toMatchObject({ start: 0, end: CHUNK_BYTES });
    expect(nextChunk([upload(size, { sent: CHUNK_BYTES })])).toMatchObject({ start: CHUNK_BYTES, end: size });
    expect(nextChunk([upload(size, { sent: size })])).toBeUndefined();
  });

  it("waits for the first file even if the kernel has accepted the second", () => {
    expect(nextChunk([upload(9, { isAccepted: false }), upload(9, {})])).toBeUndefined();
  });

  it("comes from the second file once the first is sent", () => {
    const second = upload(7, { id: "b" });
    expect(nextChunk([upload(9, { sent: 9 }), second])?.upload).toBe(second);
  });

  it("waits while four are in flight", () => {
    const uploads = [upload(9 * CHUNK_BYTES, { sent: MAX_CHUNKS_IN_FLIGHT * CHUNK_BYTES })];
    expect(chunksInFlight(uploads)).toBe(4);
    expect(nextChunk(uploads)).toBeUndefined();
    uploads[0].acknowledged = CHUNK_BYTES;
    expect(nextChunk(uploads)?.start).toBe(4 * CHUNK_BYTES);
  });
});

it.each([
  [0, 20, "0 of 1 kB"],
  [1500, 20_000, "2 of 20 kB"],
  [1_500_000, 16_600_000, "1.5 of 16.6 MB"],
])("%i of %i bytes read as %s", (received, size, text) => {
  expect(formatProgress(received, size)).toBe(text);
});

/** @param {Partial<{ most: number, transfers: object[] }>} state */
async function openZone(state = {}) {
  const kernel = createModel({ accept: "image/jpeg,image/png", most: 100, transfers: [], ...state });
  const { el, close, definition } = await show(dropZone, kernel.model);
  const input = /** @type {HTMLInputElement} */ (el.querySelector("input"));
  const pick = (/** @type {File[]} */ ...files) => {
    Object.defineProperty(input, "files", { value: files, configurable: true });
    Object.defineProperty(input, "value", { value: "", writable: true, configurable: true });
    input.dispatchEvent(new Event("change"));
  };
  return { ...kernel, el, pick, input, close, definition };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
const summary = (/** @type {Element} */ el) => el.querySelector(".astria-drop-summary")?.textContent;

describe("a drop zone", () => {
  it("greets the kernel, and offers what is picked in its order", async () => {
    const { pick, sent } = await openZone();
    pick(photo("b.jpg", 3), photo("a.jpg", 5));
    expect(sent.map((message) => message.kind)).toEqual(["hello", "offer"]);
    expect(sent[1].page).toBe(sent[0].page);
    expect(sent[1].files).toMatchObject([
      { name: "b.jpg", size: 3 },
      { name: "a.jpg", size: 5 },
    ]);
  });

  it("sends a file only after the kernel has accepted it, and again from where the kernel says", async () => {
    const { pick, take, buffers, receive } = await openZone();
    pick(photo("a.jpg", CHUNK_BYTES + 5));
    const [{ id }] = take()[1].files;
    await settled();
    expect(take()).toEqual([]);
    receive({ kind: "have", id, offset: 0 });
    await settled();
    expect(take()).toEqual([
      { kind: "chunk", id, offset: 0 },
      { kind: "chunk", id, offset: CHUNK_BYTES },
    ]);
    expect(buffers.map((buffer) => buffer.byteLength)).toEqual([CHUNK_BYTES, 5]);
    receive({ kind: "again", id, offset: CHUNK_BYTES });
    await settled();
    expect(take()).toEqual([{ kind: "chunk", id, offset: CHUNK_BYTES }]);
  });

  it("reports a file that can no longer be read, and goes on with the next", async () => {
    const { pick, take, receive } = await openZone();
    const deleted = photo("deleted.jpg");
    deleted.slice = () => /** @type {any} */ ({ arrayBuffer: () => Promise.reject(new Error("gone")) });
    pick(deleted, photo("b.jpg"));
    const [first, second] = take()[1].files;
    receive({ kind: "have", id: second.id, offset: 0 });
    receive({ kind: "have", id: first.id, offset: 0 });
    await settled();
    expect(take()).toEqual([
      { kind: "lost", id: first.id },
      { kind: "chunk", id: second.id, offset: 0 },
    ]);
  });

  it("sends no more of a file that was cancelled or refused", async () => {
    const { el, pick, take, receive } = await openZone();
    pick(photo("a.jpg"), photo("b.jpg"));
    const [a, b] = take()[1].files;
    await nextFrame();
    all(el, "li button")[0].click();
    receive({ kind: "stop", id: b.id });
    receive({ kind: "have", id: a.id, offset: 0 });
    await settled();
    expect(take()).toEqual([{ kind: "cancel", ids: [a.id] }]);
    await nextFrame();
    expect(all(el, "li")).toEqual([]);
  });

  it("says what it left out, and how many photos arrived", async () => {
    const { el, pick, take, receive } = await openZone({ most: 1 });
    pick(photo("a.jpg"), photo("b.jpg"));
    const [{ id }] = take()[1].files;
    await nextFrame();
    expect(summary(el)).toBe("1 photo to send, 0 of 1 kB Only the first 1 of 2 files were added. ");
    receive({ kind: "have", id, offset: 10 });
    expect(el.querySelector("[role=status]")?.textContent).toBe("1 photo received");
  });

  it("says that the kernel is busy, asks it, and stops when it is gone", async () => {
    vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval", "requestAnimationFrame"] });
    const { el, pick, take, emit } = await openZone();
    pick(photo("a.jpg"));
    take();
    vi.advanceTimersByTime(2500);
    expect(summary(el)).toContain("Waiting for the kernel");
    vi.advanceTimersByTime(10_000);
    expect(take().map((message) => message.kind)).toEqual(["offer"]);
    emit("comm_live_update");
    vi.advanceTimersByTime(100);
    expect(summary(el)).toContain("The kernel has stopped. Run the cell again (in an app, load this page again)");
    pick(photo("b.jpg"));
    expect(take()).toEqual([]);
  });

  it("says where photos can come from, if an application passes messages on but no files", async () => {
    const { el, pick, take, receive } = await openZone();
    pick(photo("a.jpg"));
    const [{ id }] = take()[1].files;
    receive({ kind: "have", id, offset: 0 });
    await settled();
    expect(summary(el)).not.toContain("do not arrive");
    receive({ kind: "again", id, offset: 0 }); // the answer to "ask" after ten seconds
    await nextFrame();
    expect(summary(el)).toContain("The photos do not arrive");
    expect(summary(el)).toContain("From the server");
    receive({ kind: "have", id, offset: 10 });
    await nextFrame();
    expect(summary(el)).not.toContain("do not arrive");
  });

  it("shows the kernel's lines, names as text, and dismisses them", async () => {
    const problem = "is empty";
    const name = '<img src=x onerror="alert(1)">.jpg';
    const lines = ["1", "2"].map((id) => ({ id, name, size: 0, received: 0, state: "failed", problem }));
    const { el, take } = await openZone({ transfers: lines });
    expect(el.querySelector("img")).toBeNull();
    expect(all(el, ".astria-drop-name").map((span) => span.textContent)).toEqual([name, name]);
    take();
    button(el, "Dismiss all").click();
    expect(take()).toEqual([{ kind: "cancel", ids: ["1", "2"] }]);
    await nextFrame();
    expect(all(el, "li")).toEqual([]); // though the kernel has yet to answer
  });

  it("drops a chunk whose file was refused while it was read", async () => {
    const { pick, take, receive } = await openZone();
    pick(photo("a.jpg"));
    const [{ id }] = take()[1].files;
    receive({ kind: "have", id, offset: 0 });
    receive({ kind: "stop", id });
    await settled();
    expect(take()).toEqual([]);
  });

  it("sends a file once, whichever of two views it is given to", async () => {
    const { model, pick, take, definition, el } = await openZone();
    const second = document.createElement("div");
    document.body.append(second);
    definition.render({ model, el: second });
    pick(photo("a.jpg"));
    expect(take().map((message) => message.kind)).toEqual(["hello", "offer"]);
    await nextFrame();
    expect([el, second].map((view) => all(view, "li").length)).toEqual([1, 1]);
  });

  it("takes pasted photos, and says so if there is none", async () => {
    const { el, take } = await openZone();
    const paste = (/** @type {File[]} */ files) => {
      const event = Object.assign(new Event("paste", { bubbles: true, cancelable: true }), {
        clipboardData: { files },
      });
      el.firstElementChild?.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(paste([])).toBe(false);
    await nextFrame();
    expect(summary(el)).toBe("There is no photo on the clipboard.");
    expect(paste([photo("image.png")])).toBe(true);
    expect(take()[1].files).toMatchObject([{ name: "image.png" }]);
  });
});

describe("a drop", () => {
  /** @param {{ name: string, file?: File, children?: any[] }} entry */
  const asEntry = ({ name, file, children }) => ({
    name,
    isDirectory: children !== undefined,
    file: (/** @type {Function} */ resolve, /** @type {Function} */ reject) => (file ? resolve(file) : reject()),
    createReader() {
      const batches = [(children ?? []).slice(0, 1), (children ?? []).slice(1), []];
      return { readEntries: (/** @type {Function} */ resolve) => resolve(batches.shift()) };
    },
  });
  /** @param {...any} items */
  const drop = (...items) => /** @type {any} */ ({ items });
  const folder = (/** @type {any} */ entry) => ({ kind: "file", webkitGetAsEntry: () => entry, getAsFile: () => null });
  const loose = (/** @type {File} */ file) => ({ kind: "file", getAsFile: () => file });

  it("takes loose files of any type, as the kernel explains what is wrong with them", async () => {
    const text = new File(["x"], "notes.txt", { type: "text/plain" });
    const { files, remark } = await droppedFiles(drop(loose(text), { kind: "string" }), ["image/jpeg"]);
    expect([files, remark]).toEqual([[text], ""]);
  });

  it("takes the images of a folder in the order of a file manager, and says what it skipped", async () => {
    const names = ["10.jpg", "2.jpg", "1.jpg"];
    const children = names.map((name) => asEntry({ name, file: photo(name) }));
    children.push(asEntry({ name: "notes.txt", file: new File([""], "notes.txt", { type: "text/plain" }) }));
    children.push(asEntry({ name: "unreadable.jpg" }));
    children.push(asEntry({ name: "zoo", children: [asEntry({ name: "lion.jpg", file: photo("lion.jpg") })] }));
    const entry = asEntry({ name: "photos", children });
    const { files, remark } = await droppedFiles(drop(folder(entry)), ["image/jpeg"]);
    expect(files.map((file) => file.name)).toEqual(["1.jpg", "2.jpg", "10.jpg", "lion.jpg"]);
    expect(remark).toBe("Added 4 photos from photos; skipped 2 other files.");
  });
});

beforeEach(() => {
  // jsdom's files cannot be read as an ArrayBuffer.
  Blob.prototype.arrayBuffer ??= async function arrayBuffer() {
    return new ArrayBuffer(this.size);
  };
});
