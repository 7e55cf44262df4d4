// @ts-check
import { beforeEach, describe, expect, it, vi } from "vitest";
import gallery from "../../astria_nb/results/gallery/widget.js";
import { all, button, createModel, show } from "./model.js";

const settle = () => new Promise((resolve) => setTimeout(resolve));
const bytes = (/** @type {number[]} */ ...values) => new DataView(new Uint8Array(values).buffer);

/** @type {{ name: string, blob: Blob }[]} files that the browser saved */
let saved;

beforeEach(() => {
  saved = [];
  /** @type {Map<string, Blob>} */
  const blobs = new Map();
  URL.createObjectURL = (/** @type {any} */ blob) => {
    blobs.set(`blob:${blobs.size}`, blob);
    return `blob:${blobs.size - 1}`;
  };
  // jsdom follows no link.
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(
    /** @this {HTMLAnchorElement} */ function click() {
      expect(this.isConnected).toBe(true);
      saved.push({ name: this.download, blob: /** @type {Blob} */ (blobs.get(this.href)) });
    },
  );
});

/** @param {number} [count] of pictures */
async function openGallery(count = 2) {
  const pictures = Array.from({ length: count }, (_, index) => ({ id: `1.${index}`, url: "" }));
  const cards = [{ id: "1", text: "a prompt", error: "", liked: false, pictures }];
  const kernel = createModel({ cards, summary: "", state: "finished", failure: "" });
  const { el, close } = await show(gallery, kernel.model);
  let transfer = "";
  const take = () => {
    const messages = kernel.take();
    for (const message of messages) if (message.kind === "save") transfer = message.transfer;
    return messages;
  };
  /** Click a button, and return what is sent for it. */
  const press = async (/** @type {string} */ label) => {
    button(el, label).click();
    await settle();
    return take();
  };
  /** Send a message about the last transfer. */
  const reply = (/** @type {any} */ message, /** @type {DataView[]} */ data = []) =>
    kernel.receive({ transfer, ...message }, data);
  const piece = (/** @type {number} */ offset, /** @type {DataView} */ data) =>
    reply({ kind: "piece", offset, progress: "1 of 2 pictures", fraction: 0.5 }, [data]);
  const text = () => el.querySelector(".astria-pictures-save")?.textContent;
  return { ...kernel, el, close, take, press, reply, piece, text };
}

const content = (/** @type {Blob} */ blob) =>
  new Promise((resolve) => {
    const reader = new FileReader(); // jsdom's blobs have no arrayBuffer()
    reader.onload = () => resolve([...new Uint8Array(/** @type {ArrayBuffer} */ (reader.result))]);
    reader.readAsArrayBuffer(blob);
  });

describe("a download", () => {
  it("is put together from its pieces, each acknowledged, and saved under its name", async () => {
    const { el, take, press, reply, piece, text } = await openGallery();
    const [{ transfer, ...request }] = await press("Download all");
    expect(request).toEqual({ kind: "save", id: "" });
    expect(text()).toBe("Waiting for the kernel");
    piece(0, bytes(1, 2));
    piece(2, bytes(3));
    await settle();
    expect(take()).toEqual([2, 3].map((offset) => ({ kind: "received", transfer, offset })));
    expect([text(), el.querySelector("progress")?.value]).toEqual(["1 of 2 pictures", 0.5]);
    expect(button(el, "Cancel download").hidden).toBe(false);
    reply({ kind: "piece", offset: 3, progress: "2 of 2 pictures", fraction: 1 });
    reply({ kind: "saved", name: "x.zip", size: 3, summary: "Saved 2 pictures in x.zip" });
    await settle();
    expect(saved.map(({ name }) => name)).toEqual(["x.zip"]);
    expect(await content(saved[0].blob)).toEqual([1, 2, 3]);
    expect([button(el, "Download all").hidden, text()]).toEqual([false, "Saved 2 pictures in x.zip"]);
    expect(el.querySelector("a[download]")).toBeNull();
  });

  it("is cancelled by the same button, and when the page goes", async () => {
    const { el, take, press, piece, text, close } = await openGallery();
    const [{ transfer }] = await press("Download all");
    expect(await press("Cancel download")).toEqual([{ kind: "cancel_save", transfer }]);
    piece(0, bytes(1));
    await settle();
    expect([take(), text(), saved]).toEqual([[], "Download cancelled", []]);
    for (const leave of [() => window.dispatchEvent(new Event("pagehide")), close]) {
      await press("Download all");
      leave();
      expect(take().map(({ kind }) => kind)).toEqual(["cancel_save"]);
    }
    expect(el.isConnected).toBe(true);
  });

  it("is given up when a part is missing, and never saved in part", async () => {
    const { el, press, take, reply, piece, text } = await openGallery();
    for (const lose of [() => piece(5, bytes(1)), () => reply({ kind: "saved", name: "x", size: 9, summary: "" })]) {
      await press("Download all");
      lose();
      await settle();
      expect(text()).toBe("A part of the file was lost; download again");
      expect(take().map(({ kind }) => kind)).toEqual(["cancel_save"]);
    }
    await press("Download all");
    reply({ kind: "save_failed", problem: "the disk is full" });
    expect(el.querySelector(".astria-pictures-save [role=alert]")?.textContent).toBe("the disk is full");
    expect(saved).toEqual([]);
  });

  it("says that the kernel is busy if nothing comes for a while", async () => {
    const { el, press, reply, text } = await openGallery();
    await press("Download all");
    vi.useFakeTimers();
    reply({ kind: "piece", offset: 0, progress: "1 of 2 pictures", fraction: 0.5 });
    vi.advanceTimersByTime(2999);
    expect(text()).toBe("1 of 2 pictures");
    vi.advanceTimersByTime(1);
    expect([text(), el.querySelector("progress")?.value]).toEqual(["Waiting for the kernel: it is busy", 0.5]);
    reply({ kind: "saved", name: "x", size: 0, summary: "Saved" });
    await vi.advanceTimersByTimeAsync(5000);
    expect(text()).toBe("Saved");
  });

  it("leaves the downloads of other pages alone", async () => {
    const { receive, press, take, text } = await openGallery();
    await press("Download all");
    receive({ kind: "piece", transfer: "another", offset: 0, progress: "x", fraction: 1 }, [bytes(1)]);
    await settle();
    expect([take(), text()]).toEqual([[], "Waiting for the kernel"]);
  });

  it("of one picture begins in the large view", async () => {
    const { el, press, reply, piece } = await openGallery();
    all(el, ".astria-pictures-frame")[1].click();
    expect((await press("Download")).at(-1)).toMatchObject({ kind: "save", id: "1.1" });
    piece(0, bytes(7));
    reply({ kind: "saved", name: "1-2.jpg", size: 1, summary: "Saved 1-2.jpg" });
    await settle();
    expect(saved[0].name).toBe("1-2.jpg");
    expect(all(el, "dialog [role=status]").map(({ textContent }) => textContent)).toContain("Saved 1-2.jpg");
  });
});

describe("a download of more than a hundred pictures", () => {
  const openFile = () => {
    const file = { write: vi.fn(async () => {}), close: vi.fn(async () => {}), abort: vi.fn(async () => {}) };
    vi.stubGlobal("showSaveFilePicker", async () => ({ createWritable: async () => file }));
    return file;
  };
  const refuse = (/** @type {string} */ name) =>
    vi.stubGlobal("showSaveFilePicker", () => Promise.reject(new DOMException("", name)));

  it("goes straight into a file that the reader chooses, as fast as its disk takes it", async () => {
    const file = openFile();
    /** @type {(() => void)[]} */
    const waiting = [];
    file.write.mockImplementationOnce(() => new Promise((resolve) => waiting.push(() => resolve())));
    const { press, take, reply, piece, text } = await openGallery(101);
    await press("Download all");
    piece(0, bytes(1));
    await settle();
    expect(take()).toEqual([]); // the kernel waits for the disk
    waiting[0]();
    await settle();
    expect(take()).toMatchObject([{ kind: "received", offset: 1 }]);
    reply({ kind: "saved", name: "x.zip", size: 1, summary: "Saved" });
    await settle();
    expect([file.close.mock.calls.length, file.abort.mock.calls.length, saved, text()]).toEqual([1, 0, [], "Saved"]);
  });

  it("removes the file when it is cancelled, or when the disk is full", async () => {
    const file = openFile();
    const { press, piece, text } = await openGallery(101);
    await press("Download all");
    await press("Cancel download");
    expect(file.abort.mock.calls.length).toBe(1);
    file.write.mockRejectedValueOnce(new Error("the disk is full"));
    await press("Download all");
    piece(0, bytes(1));
    await settle();
    expect([file.abort.mock.calls.length, file.close.mock.calls.length]).toEqual([2, 0]);
    expect(text()).toBe("The file could not be written (the disk is full); download again");
  });

  it("sends nothing if the reader chooses no file, and uses memory where none can be chosen", async () => {
    refuse("AbortError");
    const { press, text } = await openGallery(101);
    expect([await press("Download all"), text()]).toEqual([[], "Download cancelled"]);
    refuse("SecurityError"); // as in a frame of another site
    expect(await press("Download all")).toMatchObject([{ kind: "save", id: "" }]);
  });
});
