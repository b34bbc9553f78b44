// What was dropped, pasted or chosen. Enters: files, folders, a clipboard. Leaves: the files that may be photographs,
// in the order of their names, and how many were left out. What is in a file is looked at by the server alone.

import { limits, MOST_AT_ONCE } from "./diagnose-limits.js";

export const KINDS = "JPEG, PNG, WebP, TIFF or BMP";
export const ACCEPT = "image/jpeg,image/png,image/webp,image/tiff,image/bmp,.jpg,.jpeg,.png,.webp,.tif,.tiff,.bmp,.mpo";
const ENDINGS = /\.(jpe?g|png|webp|tiff?|bmp|mpo|heic|heif|avif|gif)$/i;

/** {photos: [{file, label}], others, tooLarge, tooMany} of {file, label}. */
export function sortOut(found) {
  const pictures = found.filter(({ file }) => file.type.startsWith("image/") || ENDINGS.test(file.name));
  const fitting = pictures.filter(({ file }) => file.size <= limits.max_image_bytes);
  return {
    photos: fitting.slice(0, MOST_AT_ONCE),
    others: found.length - pictures.length,
    tooLarge: pictures.filter(({ file }) => file.size > limits.max_image_bytes).map(({ label }) => label),
    tooMany: Math.max(0, fitting.length - MOST_AT_ONCE),
  };
}

/** The files of a file field; those of a folder are named by their path. */
export function ofField(field) {
  return byName(Array.from(field.files, (file) => ({ file, label: file.webkitRelativePath || file.name })));
}

/** The files of a clipboard; a copied picture has no name of its own. */
export function ofClipboard(clipboard) {
  return Array.from(clipboard?.files ?? [], (file) => ({ file, label: file.name || "pasted picture" }));
}

/** The files that were dropped, folders included. Entries must be taken at once: the event forgets them. */
export async function ofDrop(transfer) {
  const entries = Array.from(transfer.items ?? [], (item) => (item.kind === "file" ? item.webkitGetAsEntry?.() : null));
  if (!entries.some(Boolean)) return Array.from(transfer.files ?? [], (file) => ({ file, label: file.name }));
  const found = [];
  for (const entry of entries.filter(Boolean)) await walk(entry, found);
  return byName(found);
}

/** Whether a drag carries files, and not a piece of text. */
export function carriesFiles(transfer) {
  return Array.from(transfer?.types ?? []).includes("Files");
}

async function walk(entry, found) {
  if (found.length > 4 * MOST_AT_ONCE) return;
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (file) found.push({ file, label: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) return; // a reader gives a hundred at a time
    for (const one of some) await walk(one, found);
  }
}

function byName(found) {
  return found.sort((a, b) => a.label.localeCompare(b.label, "en", { numeric: true }));
}
