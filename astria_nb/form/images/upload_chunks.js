// @ts-check
// Which chunk of which file is sent next, and progress in words.

/** @typedef {{ id: string, file: File, sent: number, acknowledged: number, isAccepted: boolean }} Upload in bytes */

export const CHUNK_BYTES = 1 << 20;
export const MAX_CHUNKS_IN_FLIGHT = 4;

/**
 * @param {number} received bytes
 * @param {number} size bytes
 */
export function formatProgress(received, size) {
  if (size < 1e6) return `${Math.round(received / 1e3)} of ${Math.max(Math.round(size / 1e3), 1)} kB`;
  return `${(received / 1e6).toFixed(1)} of ${(size / 1e6).toFixed(1)} MB`;
}

/** @param {number} count */
export const countPhotos = (count) => (count === 1 ? "1 photo" : `${count} photos`);

/** @param {Upload[]} uploads */
export function chunksInFlight(uploads) {
  return uploads.reduce((sum, upload) => sum + Math.ceil((upload.sent - upload.acknowledged) / CHUNK_BYTES), 0);
}

/**
 * Return the next chunk to send, if one may be sent.
 *
 * Files are sent in the order of the list. One that the kernel has not accepted yet holds up those behind it.
 *
 * @param {Upload[]} uploads
 */
export function nextChunk(uploads) {
  const upload = uploads.find((candidate) => candidate.sent < candidate.file.size);
  if (!upload?.isAccepted || chunksInFlight(uploads) >= MAX_CHUNKS_IN_FLIGHT) return undefined;
  return { upload, start: upload.sent, end: Math.min(upload.sent + CHUNK_BYTES, upload.file.size) };
}
