// Files that a person chose or dropped. Enters: file inputs and drops, folders included. Leaves: [{path, file}]
// with the folders in the path, photographs apart from archives. It sends nothing.

const PHOTOGRAPHS = { jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", webp: "image/webp", tif: "image/tiff",
  tiff: "image/tiff", bmp: "image/bmp" };
const ARCHIVES = [[/\.zip$/i, "application/zip"], [/\.(tar\.gz|tgz)$/i, "application/gzip"], [/\.tar$/i, "application/x-tar"]];

export const PHOTOGRAPHS_TAKEN = Object.keys(PHOTOGRAPHS).map((ending) => `.${ending}`).join(",");
export const ARCHIVES_TAKEN = ".zip,.tar,.tar.gz,.tgz,.gz";

/** The media type of a photograph by its name; null for what is none. The server looks at the bytes. */
export function photographType(name) {
  return PHOTOGRAPHS[name.split(".").pop().toLowerCase()] ?? null;
}

/** The media type of an archive by its name; null for what is none. */
export function archiveType(name) {
  return ARCHIVES.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

/** Files of an input, with the folders of a chosen folder. */
export function chosen(input) {
  return Array.from(input.files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Files of a drop; folders are walked through. */
export async function dropped(transfer) {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean); // before any await
  if (!entries.length) return Array.from(transfer.files, (file) => ({ path: file.name, file }));
  const found = [];
  for (const entry of entries) await walk(entry, found);
  return found;
}

/** What can be sent of `files`: {photographs, archives, others: how many}. Hidden files are left out in silence. */
export function sorted(files) {
  const seen = files.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX"));
  const photographs = seen.filter(({ path }) => photographType(path));
  const archives = seen.filter(({ path }) => archiveType(path));
  return { photographs, archives, others: seen.length - photographs.length - archives.length };
}

/** Let files be dropped on `place`: take(files). */
export function takeDrops(place, take) {
  let inside = 0;
  const mark = () => place.classList.toggle("teach-over", inside > 0);
  place.addEventListener("dragenter", (event) => {
    event.preventDefault();
    inside += 1;
    mark();
  });
  place.addEventListener("dragover", (event) => event.preventDefault());
  place.addEventListener("dragleave", () => {
    inside -= 1;
    mark();
  });
  place.addEventListener("drop", async (event) => {
    event.preventDefault();
    inside = 0;
    mark();
    take(await dropped(event.dataTransfer));
  });
}

async function walk(entry, found) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return; // a browser gives a hundred at a time
    for (const one of some) await walk(one, found);
  }
}
