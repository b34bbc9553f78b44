// Uploads in parts that were begun and not brought to their end: what this browser remembers of them, so that the same
// file goes on where it was after the page was closed. Enters: ids of the server. Leaves: the same, when the same file
// is chosen again. It asks nothing, and where storage is forbidden it forgets with the page.

import { crc32 } from "./teach-zip.js";

const NAME = "leafsight.uploads";
const MOST = 20; // a server lets eight of one key be under way
const ENDS_BYTES = 64 * 2 ** 10;
const memory = { rows: [], isForbidden: false };

/** What tells a file from others: name, size, time, kind, class, and a checksum of its first and last bytes. */
export async function markOf(body, { name, type, label }) {
  const ends = new Blob([body.slice(0, ENDS_BYTES), body.slice(-ENDS_BYTES)]);
  const sum = crc32(new Uint8Array(await ends.arrayBuffer()));
  return JSON.stringify([name, body.size, body.lastModified ?? 0, type, label ?? "", sum]);
}

/** All of them, newest first: {id, mark, name, size, most}; `most` bytes go in one part. */
export function unfinished() {
  if (memory.isForbidden) return memory.rows;
  try {
    const rows = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return rows.filter((one) => /^[0-9a-f]{32}$/.test(one?.id) && typeof one.mark === "string");
  } catch {
    return memory.rows; // forbidden, or not ours
  }
}

/** What is remembered of the file of this mark, or null. */
export function recall(mark) {
  return unfinished().find((one) => one.mark === mark) ?? null;
}

/** From now on, also after a reload. */
export function remember(row) {
  keep([row, ...unfinished().filter((one) => one.id !== row.id && one.mark !== row.mark)].slice(0, MOST));
}

/** It is done, given up, or gone from the server. */
export function forget(id) {
  const rows = unfinished();
  if (rows.some((one) => one.id === id)) keep(rows.filter((one) => one.id !== id));
}

function keep(rows) {
  memory.rows = rows;
  try {
    if (rows.length) localStorage.setItem(NAME, JSON.stringify(rows));
    else localStorage.removeItem(NAME);
  } catch {
    memory.isForbidden = true;
  }
}
