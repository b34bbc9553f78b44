// One unit to the server. Enters: photographs and what is asked about them. Leaves: the answer of /v1/predict.
// Large photographs are made smaller before, unless the person lets the server keep them.

import { Problem, upload } from "./api.js";
import { shrink, UNTOUCHED_BYTES } from "./diagnose-shrink.js";

export const MOST_LISTED = 10;
/** Classes that are asked for with each answer; three of them are shown at first. */

/** What is asked: crop, combine, store. */
export function queryOf({ crop, combine, store }) {
  // The heatmap is a grid of 64 numbers that falls out of the same pass: it costs next to nothing.
  return { heatmap: "layer", top: MOST_LISTED, crop, combine: combine || null, store: store || null };
}

/** About how many bytes a photograph has when it is sent. */
export function weigh(photo, store) {
  return store ? photo.file.size : Math.min(photo.file.size, UNTOUCHED_BYTES);
}

/** Make a unit ready and send it; onShare gets 0..1 of what is sent. */
export async function sendUnit(unit, signal, onShare) {
  unit.ready ??= await readyForms(unit, signal);
  const form = new FormData();
  for (const { bytes, name } of unit.ready) form.append("photo", bytes, name);
  return upload("/v1/predict", form, {
    query: queryOf(unit.wish),
    headers: { "idempotency-key": unit.key },
    signal,
    onProgress: (sent, total) => onShare(total > 0 ? sent / total : 0),
  });
}

async function readyForms(unit, signal) {
  const ready = [];
  for (const photo of unit.photos) {
    signal.throwIfAborted();
    const made = unit.wish.store ? { blob: photo.file, from: photo.file.size, to: photo.file.size } : await shrink(photo.file);
    photo.sent = { from: made.from, to: made.to, shrunk: Boolean(made.shrunk), whole: unit.wish.store };
    ready.push({ bytes: await heldInMemory(made.blob, photo), name: photo.file.name });
  }
  signal.throwIfAborted();
  return ready;
}

/** The bytes themselves: a file that changes or goes away while it is sent looks like a lost server. */
async function heldInMemory(blob, photo) {
  try {
    return new Blob([await blob.arrayBuffer()], { type: blob.type });
  } catch {
    throw new Problem({
      status: 422,
      detail: `${photo.label} cannot be read any more`,
      hint: "the file was moved, changed or taken away; choose it again",
    });
  }
}
