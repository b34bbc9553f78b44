// Where photographs come in: dropped anywhere on the tab, chosen, pasted, or taken with a camera. Enters: what a person
// does. Leaves: `add(found)` with files. It does not know what happens to them.

import { h, replace, svg } from "./elements.js";
import { openCamera } from "./diagnose-camera.js";
import { ACCEPT, carriesFiles, KINDS, ofClipboard, ofDrop, ofField } from "./diagnose-files.js";
import { limits, MOST_AT_ONCE } from "./diagnose-limits.js";
import { bytes, number } from "./words.js";

/** {element, refresh(), shown(), hidden()}. */
export function makeIntake(add) {
  const files = field({ multiple: true, accept: ACCEPT, "aria-label": "Photographs" }, add);
  const folder = field({ multiple: true, webkitdirectory: true, "aria-label": "A folder of photographs" }, add);
  const phone = field({ accept: "image/*", capture: "environment", "aria-label": "A new photograph" }, add);
  const camera = h("button", { type: "button", hidden: true }, "Use the camera");
  camera.addEventListener("click", () => (isPhone() ? phone.click() : openCamera(add)));
  hasCamera().then((there) => {
    camera.hidden = !there;
  });
  const canFolder = "webkitdirectory" in HTMLInputElement.prototype && !isPhone();
  const bounds = h("p", { class: "small quiet" });
  const element = h("div", { class: "intake" },
    leaf(),
    h("h2", { class: "intake-lead" }, isPhone() ? "Photograph a leaf, or choose a photograph" : "Drop photographs of leaves here, or paste them"),
    h("div", { class: "row intake-buttons" },
      h("button", { type: "button", class: "primary", onclick: () => files.click() }, "Choose photographs"),
      camera,
      canFolder ? h("button", { type: "button", onclick: () => folder.click() }, "Choose a folder") : null),
    bounds, files, folder, phone);
  const refresh = () => replace(bounds,
    `${KINDS}, at most ${bytes(limits.max_image_bytes)} each and ${number(MOST_AT_ONCE)} at once. One leaf in each, close, in even light. Large ones are made smaller in this browser before they are sent.`);
  refresh();
  return { element, refresh, ...watchWindow(element, add) };
}

function field(attributes, add) {
  // Not in the tab order and not seen: the button before it does the same and can be styled.
  const input = h("input", { type: "file", class: "unseen", tabindex: "-1", ...attributes });
  input.addEventListener("change", () => {
    add(ofField(input));
    input.value = ""; // so that the same file can be chosen again
  });
  return input;
}

/** Drops and pastes count on the whole tab, and only while it is shown. */
function watchWindow(element, add) {
  let depth = 0;
  const over = (on) => {
    depth = on ? depth : 0;
    element.classList.toggle("intake-over", on);
  };
  const heard = {
    dragenter: (event) => {
      if (!carriesFiles(event.dataTransfer)) return;
      depth += 1;
      over(true);
    },
    dragover: (event) => {
      if (!carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    },
    dragleave: () => {
      depth -= 1;
      if (depth <= 0) over(false);
    },
    drop: async (event) => {
      over(false);
      if (!carriesFiles(event.dataTransfer)) return;
      event.preventDefault();
      add(await ofDrop(event.dataTransfer));
    },
    paste: (event) => {
      const found = ofClipboard(event.clipboardData);
      if (found.length === 0) return;
      event.preventDefault();
      add(found);
    },
  };
  const each = (what) => Object.entries(heard).forEach(([name, hear]) => window[what](name, hear));
  return { shown: () => each("addEventListener"), hidden: () => each("removeEventListener") };
}

/** A device whose camera is reached best through its own camera program. */
function isPhone() {
  return matchMedia("(pointer: coarse) and (hover: none)").matches;
}

async function hasCamera() {
  if (isPhone()) return true;
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.some((device) => device.kind === "videoinput");
  } catch {
    return false; // no secure origin, or forbidden
  }
}

function leaf() {
  return svg("svg", { class: "intake-leaf", viewBox: "0 0 48 48", width: 48, height: 48, "aria-hidden": "true" },
    svg("path", { d: "M10 38C7 19 19 8 40 8c2 20-8 31-30 30zM10 40c6-11 12-17 22-24" }));
}
