// @ts-check
// The files of a drop, with those in folders.
import { countPhotos } from "./upload_chunks.js";

/**
 * Return all entries of a folder, sorted as a file manager does: 2.jpg before 10.jpg.
 *
 * @param {FileSystemDirectoryEntry} folder
 */
async function readFolder(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const batch = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!batch.length) break;
    entries.push(...batch);
  }
  return entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/**
 * Return the images in a folder and its subfolders, and how many other files they hold.
 *
 * @param {FileSystemDirectoryEntry} folder
 * @param {string[]} accept media types
 * @returns {Promise<{ images: File[], skipped: number }>}
 */
async function imagesIn(folder, accept) {
  const images = [];
  let skipped = 0;
  for (const entry of await readFolder(folder)) {
    if (entry.isDirectory) {
      const inner = await imagesIn(/** @type {FileSystemDirectoryEntry} */ (entry), accept);
      images.push(...inner.images);
      skipped += inner.skipped;
      continue;
    }
    /** @type {File | null} */
    const file = await new Promise((resolve) => {
      /** @type {FileSystemFileEntry} */ (entry).file(resolve, () => resolve(null));
    });
    if (file && accept.includes(file.type)) images.push(file);
    else skipped += 1;
  }
  return { images, skipped };
}

/**
 * Return the files of a drop, and of each folder its images, with a remark about the folders.
 *
 * @param {DataTransfer} transfer
 * @param {string[]} accept media types
 * @returns {Promise<{ files: File[], remark: string }>}
 */
export async function droppedFiles(transfer, accept) {
  // The items are gone once the event is over, so all of them are read before the first await.
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const sources = items.map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  /** @type {File[]} */
  const files = [];
  /** @type {string[]} */
  const folders = [];
  let skipped = 0;
  for (const { entry, file } of sources) {
    if (entry?.isDirectory) {
      const contents = await imagesIn(/** @type {FileSystemDirectoryEntry} */ (entry), accept);
      folders.push(entry.name);
      files.push(...contents.images);
      skipped += contents.skipped;
    } else if (file) files.push(file);
  }
  if (!folders.length) return { files, remark: "" };
  const others = skipped ? `; skipped ${skipped} other ${skipped === 1 ? "file" : "files"}` : "";
  return { files, remark: `Added ${countPhotos(files.length)} from ${folders.join(", ")}${others}.` };
}
