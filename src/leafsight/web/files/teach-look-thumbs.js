// Small pictures from the server, fetched with the key when they come near, a few at a time, so that hundreds of
// photographs scroll. Enters: a place and the path of a photograph. Leaves: a picture in the place, or a word why not.

import { blob } from "./api.js";
import { h, replace } from "./elements.js";

const SIDE_PX = 256;
const AT_ONCE = 6;
const wanted = new Map(); // place -> path, the newest last: what was scrolled past is fetched later
const held = new WeakMap(); // place -> address of its picture
const paths = new WeakMap();
let under_way = 0;

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting && !held.has(target)) wanted.set(target, paths.get(target));
    else wanted.delete(target);
  }
  work();
}, { rootMargin: "500px" });

/** Let `place` show the photograph at `path` when it comes near. */
export function showThumb(place, path) {
  paths.set(place, path);
  near.observe(place);
}

/** `place` goes away: its picture is given back. */
export function dropThumb(place) {
  near.unobserve(place);
  wanted.delete(place);
  if (held.has(place)) URL.revokeObjectURL(held.get(place));
  held.delete(place);
}

function work() {
  while (under_way < AT_ONCE && wanted.size > 0) {
    const [place, path] = [...wanted].at(-1);
    wanted.delete(place);
    under_way += 1;
    load(place, path).finally(() => {
      under_way -= 1;
      work();
    });
  }
}

async function load(place, path) {
  if (held.has(place)) return;
  try {
    const url = URL.createObjectURL(await blob(path, { query: { side: SIDE_PX } }));
    held.set(place, url);
    near.unobserve(place);
    replace(place, h("img", { src: url, alt: "", decoding: "async", draggable: "false" }));
  } catch {
    replace(place, h("span", { class: "quiet small" }, "No picture"));
  }
}
