// A zip made in the browser: stored, not packed, because photographs do not shrink. Enters: [{path, file}].
// Leaves: Blobs of bounded size, which hold the files by reference. Format: PKWARE APPNOTE 6.3.10, sections 4.3.7
// (local header), 4.3.12 (central directory), 4.3.16 (end); bit 11 says that names are UTF-8.

const UTF8 = 0x0800;
const DATE_1980 = 0x21; // the format has no "not known"
const MOST_FILES = 60_000;

let table = null;

/** Parts of at most `mostBytes` of files each, in their order. */
export function inParts(files, mostBytes) {
  const parts = [];
  let part = [];
  let held = 0;
  for (const one of files) {
    if (part.length && (held + one.file.size > mostBytes || part.length >= MOST_FILES)) {
      parts.push(part);
      part = [];
      held = 0;
    }
    part.push(one);
    held += one.file.size + 200;
  }
  if (part.length) parts.push(part);
  return parts;
}

/** A zip of `files`; onFile(done) after each. */
export async function zipOf(files, onFile = () => {}) {
  const pieces = [];
  const directory = [];
  let offset = 0;
  for (const [at, { path, file }] of files.entries()) {
    const name = new TextEncoder().encode(path);
    const sum = crc32(new Uint8Array(await file.arrayBuffer()));
    const shared = [[2, 20], [2, UTF8], [2, 0], [2, 0], [2, DATE_1980], [4, sum], [4, file.size], [4, file.size],
      [2, name.length], [2, 0]];
    const head = record([[4, 0x04034b50], ...shared]);
    directory.push(record([[4, 0x02014b50], [2, 20], ...shared, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]), name);
    pieces.push(head, name, file);
    offset += head.length + name.length + file.size;
    onFile(at + 1);
  }
  const length = directory.reduce((sum, piece) => sum + piece.length, 0);
  const end = record([[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, length], [4, offset], [2, 0]]);
  return new Blob([...pieces, ...directory, end], { type: "application/zip" });
}

function record(fields) {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}

/** CRC-32 as in ISO 3309, polynomial 0xEDB88320. */
export function crc32(bytes) {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });
  let sum = 0xffffffff;
  for (const byte of bytes) sum = table[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}
