// The page's building stones. Enters: names, attributes, children. Leaves: nodes of the document, built one by
// one: no text is ever read as HTML, so nothing that a server, a model or a file says can become a script.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "selected", "indeterminate", "muted", "srcObject"]);
let ids = 0;

/** A new element: h("p", {class: "quiet", onclick: f, style: {width: "3px"}}, "text", node, [more], null). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** A new element of a drawing; as `h`. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Take everything out of `node`. */
export function clear(node) {
  node.replaceChildren();
  return node;
}

/** Put `children` in the place of what `node` holds. */
export function replace(node, ...children) {
  node.replaceChildren(...flat(children));
  return node;
}

/** Make `wanted` the children of `node`; those that are there already are not touched, nor what is open or has the focus in them. */
export function inPlace(node, wanted) {
  for (const one of [...node.children]) if (!wanted.includes(one)) one.remove();
  wanted.forEach((one, at) => node.children[at] !== one && node.insertBefore(one, node.children[at] ?? null));
}

/** An id that no other element has. */
export function newId(stem = "e") {
  ids += 1;
  return `${stem}-${ids}`;
}

/** Words that matter now; kind: info, warn or error. An error is read aloud at once. */
export function notice(kind, title, hint = "", ...children) {
  const word = { info: "Note", warn: "Careful", error: "Error" }[kind] ?? "Note";
  return h(
    "div",
    { class: `notice notice-${kind}`, role: kind === "error" ? "alert" : "status" },
    h("p", { class: "notice-title" }, h("span", { class: "unseen" }, `${word}: `), title),
    hint ? h("p", { class: "notice-hint" }, hint) : null,
    ...children,
  );
}

/** A failure of `api` in plain words, with a button that tries again where `again` is given. */
export function failure(problem, again = null) {
  const hint = [problem.hint, problem.requestId ? `Request ${problem.requestId}.` : ""].filter(Boolean).join(" ");
  const kind = problem.status === 429 || problem.status === 503 ? "warn" : "error";
  const button = again ? h("button", { type: "button", onclick: again }, "Try again") : null;
  return notice(kind, problem.detail || problem.title || String(problem.message ?? problem), hint, button);
}

/** A framed part of a tab with a heading of level 2. */
export function card(title, ...children) {
  const id = newId("card");
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), ...children);
}

/**
 * A table that scrolls sideways in its own frame.
 * columns: a title, or {title, number: bool, header: bool}; rows: arrays of strings, nodes or null, or
 * {group: title} for a line that names the rows under it.
 * options: {caption, class, stack}; the caption names the table for those who do not see it. One that stacks shows
 * each row as a block on a phone: the roles are said because a browser forgets them when cells are no cells.
 */
export function table(columns, rows, { caption = "", class: kind = "", stack = false } = {}) {
  const role = (name) => (stack ? name : null);
  const shapes = columns.map((one) => (typeof one === "object" ? one : { title: one }));
  const cell = (value, at) => {
    const shape = shapes[at] ?? {};
    const attributes = { class: shape.number ? "number" : null };
    return shape.header
      ? h("th", { ...attributes, scope: "row", role: role("rowheader") }, value ?? "")
      : h("td", { ...attributes, role: role("cell"), "data-title": stack ? shape.title : null }, value ?? "");
  };
  const frame = h(
    "div",
    { class: `scroll ${kind} ${stack ? "stacks" : ""}`.trim() },
    h(
      "table",
      { role: role("table") },
      caption ? h("caption", {}, caption) : null,
      h("thead", { role: role("rowgroup") }, h("tr", { role: role("row") }, shapes.map(({ title, number }) =>
        h("th", { scope: "col", role: role("columnheader"), class: number ? "number" : null }, title)))),
      h("tbody", { role: role("rowgroup") }, rows.map((row) => h("tr", { role: role("row") }, Array.isArray(row) ? row.map(cell) : groupCell(row, shapes.length)))),
    ),
  );
  return reachable(frame, caption || "Table");
}

function groupCell({ group }, columns) {
  return h("th", { scope: "colgroup", colspan: String(columns), class: "group" }, group);
}

/** A share 0..1 as a bar; `label` is what it says to those who do not see it. */
export function bar(share, label) {
  const held = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  return h("div", { class: "bar", role: "img", "aria-label": label },
    h("div", { class: "bar-fill", style: { width: `${(held * 100).toFixed(2)}%` } }));
}

/** Something is under way. */
export function busy(label) {
  return h("p", { class: "busy", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), label);
}

/** A window over the page: {open(), close(), element}. Escape and the cross close it; the event is `close`. */
export function dialog(title, ...children) {
  const id = newId("dialog");
  const element = h("dialog", { class: "dialog", "aria-labelledby": id });
  const close = () => element.close();
  replace(
    element,
    h("div", { class: "dialog-top" }, h("h2", { id }, title),
      h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: close }, "\u00d7")),
    ...children,
  );
  element.addEventListener("close", () => element.remove());
  return {
    element,
    close,
    open() {
      if (!element.isConnected) document.body.append(element);
      if (!element.open) element.showModal();
    },
  };
}

/** A frame that can be scrolled gets a place in the tab order, but only while there is something to scroll. */
export function reachable(frame, label) {
  const look = () => {
    const needed = frame.scrollWidth > frame.clientWidth + 1;
    for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", label]]) {
      if (needed) frame.setAttribute(name, value);
      else frame.removeAttribute(name);
    }
  };
  new ResizeObserver(look).observe(frame);
  return frame;
}

function fill(element, attributes, children) {
  const given = Object.entries(attributes ?? {});
  for (const [name, value] of given) if (name !== "value") set(element, name, value);
  element.append(...flat(children));
  for (const [name, value] of given) if (name === "value") set(element, name, value); // a select needs its options
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined) return;
  if (value === false && !name.startsWith("aria-")) return;
  if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value);
  else if (name === "style") styles(element, value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (PROPERTIES.has(name) && name in element) element[name] = value;
  else element.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
}

/** One by one: a whole style attribute is what the content policy forbids. */
function styles(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.style[name] = value;
  }
}

function flat(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== true)
    .map((child) => (child instanceof Node ? child : String(child)));
}
