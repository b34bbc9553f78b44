// What a person says about the photographs before they are sent: the crop, whether they show one plant, whether they may
// be kept. Enters: the conditions that the model knows. Leaves: `value()`. The crop is remembered on this device.

import { limits } from "./diagnose-limits.js";
import { h, newId, replace } from "./elements.js";
import { count } from "./words.js";

const NAME = "leafsight.crop";

/** {element, value(), refresh()}; `changed()` is called when something was chosen. */
export function makeChoices(conditions, changed) {
  const id = newId("crop");
  const crop = h("select", { id, onchange: () => { remember(crop.value); changed(); } });
  const combine = h("input", { type: "checkbox", onchange: changed });
  const store = h("input", { type: "checkbox", onchange: changed });
  const asked = h("label", { class: "check" }, store, "Keep my photographs on the server");
  const kept = h("p", { class: "small quiet" });
  store.addEventListener("change", sayWhatIsKept);
  fill(crop, []);

  function sayWhatIsKept() {
    asked.hidden = limits.keep_photos !== "ask";
    if (asked.hidden) store.checked = false;
    replace(kept, keptWords(store.checked));
  }

  async function refresh() {
    sayWhatIsKept();
    try {
      fill(crop, cropsOf((await conditions()).conditions));
    } catch {
      // Photographs can be diagnosed without a crop; the frame of the page says that the server is lost.
    }
  }

  const element = h("fieldset", { class: "choices" },
    h("legend", { class: "unseen" }, "About these photographs"),
    h("div", { class: "choice-crop" }, h("label", { for: id }, "Crop"), crop),
    h("label", { class: "check" }, combine, "These show one plant"),
    asked, kept);
  sayWhatIsKept();
  return { element, refresh, value: () => ({ crop: crop.value || null, combine: combine.checked, store: store.checked }) };
}

/** {value, name} of each crop that the model knows, by name. */
export function cropsOf(conditions) {
  const names = new Map();
  for (const { crop, display, is_leaf: isLeaf } of conditions) {
    if (isLeaf && crop && !names.has(crop)) names.set(crop, display.split(": ")[0]);
  }
  return [...names].map(([value, name]) => ({ value, name })).sort((a, b) => a.name.localeCompare(b.name, "en"));
}

function keptWords(agreed) {
  const time = limits.keep_days ? ` for ${count(limits.keep_days, "day")}, longer where somebody corrected the answer` : "";
  if (limits.keep_photos === "always") return `This server keeps what is sent to it, without place, time and camera${time}.`;
  if (agreed) return `The whole photographs are sent, not made smaller. They are kept without place, time and camera${time}; with a correction they can teach the next model.`;
  return "";
}

function fill(select, crops) {
  const wanted = select.value || remembered();
  replace(select, h("option", { value: "" }, "I do not know"), crops.map(({ value, name }) => h("option", { value }, name)));
  select.value = crops.some(({ value }) => value === wanted) ? wanted : "";
}

function remembered() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

function remember(crop) {
  try {
    localStorage.setItem(NAME, crop);
  } catch {
    // Storage is forbidden: the choice holds until the page is left.
  }
}
