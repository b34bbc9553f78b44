// Small pictures of photographs, made when they come into sight, two at a time, so that hundreds do not stop the page.
// Enters: a photograph. Leaves: a canvas that will show it. A file that the browser cannot read leaves it empty.

import { h } from "./elements.js";
import { uprightPicture } from "./diagnose-shrink.js";

const SIDE_PX = 144;
const AT_ONCE = 2;
const asked = [];
let drawing = 0;

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    asked.push(target);
  }
  work();
}, { rootMargin: "300px" });

const files = new WeakMap();

/** The small picture of `photo`; the same one each time. */
export function thumbOf(photo) {
  if (!photo.thumb) {
    photo.thumb = h("canvas", { class: "thumb", width: String(SIDE_PX), height: String(SIDE_PX), "aria-hidden": "true" });
    files.set(photo.thumb, photo.file);
    seen.observe(photo.thumb);
  }
  return photo.thumb;
}

function work() {
  while (drawing < AT_ONCE && asked.length > 0) {
    drawing += 1;
    draw(asked.shift()).catch(() => {}).finally(() => {
      drawing -= 1;
      work();
    });
  }
}

async function draw(canvas) {
  const picture = await uprightPicture(files.get(canvas), { resizeHeight: SIDE_PX * 2, resizeQuality: "medium" });
  const side = Math.min(picture.width, picture.height);
  canvas.getContext("2d").drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, SIDE_PX, SIDE_PX);
  picture.close();
  canvas.classList.add("thumb-there");
}
