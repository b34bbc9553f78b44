// Many photographs at once: an archive of class folders as it is, or a folder, of which zips are made here.

import { ARCHIVES_TAKEN, archiveType, chosen, sorted, takeDrops } from "./teach-files.js";
import { inParts, zipOf } from "./teach-zip.js";

/** Of one zip: less than a server takes by default. */
const MOST_BYTES = 100 * 2 ** 20;

/** The card; what is taken goes to `queue`. */
export function archives(context, queue) {
  const { elements: { card, h, replace }, words } = context;
  const said = h("p", { class: "quiet", role: "status" });
  const packed = h("input", { type: "file", accept: ARCHIVES_TAKEN, multiple: true, class: "unseen", tabindex: "-1",
    "aria-label": "Archives", onchange: () => take(emptied(packed)) });
  const folder = h("input", { type: "file", webkitdirectory: true, class: "unseen", tabindex: "-1",
    "aria-label": "A folder", onchange: () => take(emptied(folder)) });
  const place = h("div", { class: "teach-drop" },
    h("p", {}, "Drop a zip, a tar or a folder here"),
    h("p", { class: "quiet small" }, "with one folder for each class: ", h("code", {}, "Rust/leaf-1.jpg")),
    h("div", { class: "row" },
      h("button", { type: "button", onclick: () => packed.click() }, "Choose archives"),
      h("button", { type: "button", onclick: () => folder.click() }, "Choose a folder")),
    packed, folder);
  takeDrops(place, take);

  function take(files) {
    const { photographs, archives: found, others } = sorted(files);
    const inFolders = photographs.filter(({ path }) => path.includes("/"));
    const loose = photographs.length - inFolders.length;
    queue.add([...found.map(({ path, file }) => ({ name: path, type: archiveType(path), body: file })),
      ...zips(inFolders)]);
    replace(said, sentence({ found: found.length, inFolders: inFolders.length, loose, others }));
  }

  function zips(files) {
    const inOrder = files.toSorted((one, other) => (one.path < other.path ? -1 : 1)); // the same folder is the same zip another time
    const parts = inParts(inOrder, MOST_BYTES);
    return parts.map((part, at) => ({
      name: `${part[0].path.split("/")[0]}${parts.length > 1 ? `, part ${at + 1} of ${parts.length}` : ""}: `
        + words.count(part.length, "photograph"),
      type: "application/zip",
      body: () => zipOf(part),
    }));
  }

  function sentence({ found, inFolders, loose, others }) {
    const taken = [found ? words.count(found, "archive") : "", inFolders ? `${words.count(inFolders, "photograph")} of a folder` : ""];
    const left = [
      loose ? `${words.count(loose, "photograph")} in no class folder ${loose === 1 ? "was" : "were"} left out: send them beside this` : "",
      others ? `${words.count(others, "file")} of another kind ${others === 1 ? "was" : "were"} left out` : "",
    ].filter(Boolean);
    const said = taken.filter(Boolean).join(" and ");
    return [said ? `Taken: ${said}.` : "Nothing was taken.", ...left.map((one) => `${one[0].toUpperCase()}${one.slice(1)}.`)].join(" ");
  }

  return card("A collection", h("p", {}, "All photographs of several classes in one go."), place, said);
}

/** The files of an input, which may be chosen again. */
function emptied(input) {
  const files = chosen(input);
  input.value = "";
  return files;
}
