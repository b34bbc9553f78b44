// Photographs of one class: which class, which photographs, one upload each.

import { PHOTOGRAPHS_TAKEN, chosen, photographType, sorted, takeDrops } from "./teach-files.js";

/** The card; what is taken goes to `queue`. */
export function photographs(context, queue) {
  const { conditions, elements: { card, h, newId, replace }, words } = context;
  const known = new Map();
  const names = h("datalist", { id: newId("classes") });
  const field = h("input", { type: "text", list: names.id, maxlength: "200", autocomplete: "off", id: newId("class"),
    "aria-describedby": newId("told"), oninput: tell });
  const told = h("p", { class: "quiet small", id: field.getAttribute("aria-describedby"), role: "status" });
  const said = h("p", { class: "quiet", role: "status" });
  const input = h("input", { type: "file", accept: PHOTOGRAPHS_TAKEN, multiple: true, class: "unseen", tabindex: "-1",
    "aria-label": "Photographs", onchange: () => {
      const files = chosen(input);
      input.value = "";
      take(files);
    } });
  const place = h("div", { class: "teach-drop" },
    h("p", {}, "Drop photographs of this class here"),
    h("div", { class: "row" }, h("button", { type: "button", onclick: () => choose() }, "Choose photographs")),
    input);
  takeDrops(place, take);
  const loaded = load();

  async function load() {
    try {
      const { conditions: all } = await conditions();
      for (const one of all) known.set(one.display.toLowerCase(), one);
      replace(names, all.map((one) => h("option", { value: one.display })));
      if (field.value.trim()) tell(); // what was typed before they came may be one of them
    } catch {
      // The field takes any name; the banner of the page says that the server is away.
    }
  }

  /** What goes with the photographs: the key of a class that the model knows, otherwise what was typed. */
  function label() {
    const typed = field.value.trim().replace(/\s+/g, " ");
    return loaded.then(() => known.get(typed.toLowerCase())?.key ?? typed);
  }

  function tell() {
    const typed = field.value.trim();
    if (!typed) replace(told, "Choose one from the list, or write the name of a new one.");
    else if (known.has(typed.toLowerCase())) replace(told, "The model knows this class.");
    else replace(told, "A new class: the model in service does not know it.");
  }

  function named() {
    if (field.value.trim()) return true;
    field.setAttribute("aria-invalid", "true");
    replace(told, h("span", { class: "bad" }, "Say first which class the photographs show."));
    field.focus();
    return false;
  }

  function choose() {
    if (named()) input.click();
  }

  async function take(files) {
    if (!named()) return;
    field.removeAttribute("aria-invalid");
    const { photographs: found, archives, others } = sorted(files);
    const given = await label();
    queue.add(found.map(({ path, file }) => ({ name: path, type: photographType(path), label: given, body: file })));
    const left = archives.length + others;
    replace(said, (found.length ? `Taken: ${words.count(found.length, "photograph")}.` : "Nothing was taken.")
      + (left ? ` ${words.count(left, "file")} of another kind ${left === 1 ? "was" : "were"} left out.` : ""));
  }

  tell();
  return card("Photographs of one class",
    h("div", { class: "teach-field" }, h("label", { for: field.id }, "Class"), field, names, told), place, said);
}
