// Small charts with a table behind each, for those who do not see them and those who want the numbers.
// Enters: points and names. Leaves: figures that can be shown again with other points; what was folded open stays
// open, and the place of the keyboard is kept. It knows no request.

import { clear, h, newId, replace, svg, table } from "./elements.js";

const WIDE = 600;
const HIGH = 130;
const SIDE = 4;
/** Points further apart than this many milliseconds are not joined: nobody looked in between. */
const GAP_MS = 60_000;

/**
 * Lines over time: {element, show(points)}; points are {at_ms, values: [..]} with null where nothing is known.
 * lines: names, at most three; say(value): a value in words; text: what the chart shows.
 */
export function lineChart(title, lines, say, { none }) {
  const drawing = frame();
  const top = h("span", {});
  const [begin, end] = [h("span", {}), h("span", {})];
  const empty = h("p", { class: "quiet small" }, none);
  const plot = h("div", { class: "chart-plot" }, h("div", { class: "chart-top quiet small", "aria-hidden": "true" }, top),
    drawing, h("div", { class: "chart-ends quiet small", "aria-hidden": "true" }, begin, end));
  const behind = folded("As a table");
  const element = figure(title, lines.length > 1 ? legend(lines.map((name, at) => [name, `line-${at}`])) : null,
    empty, plot, behind.element);

  function show(points) {
    const known = points.filter((point) => point.values.some((value) => value !== null));
    const usable = points.length > 1 && known.length > 0;
    empty.hidden = usable;
    plot.hidden = behind.element.hidden = !usable;
    if (!usable) return;
    const most = Math.max(...known.flatMap((point) => point.values.filter((value) => value !== null)));
    const limit = niceAbove(most);
    top.textContent = say(limit);
    begin.textContent = ago(points.at(-1).at_ms - points[0].at_ms);
    end.textContent = "now";
    drawing.setAttribute("aria-label", `${title}. ${lines.map((name, at) =>
      `${name}: ${sayOr(say, known.at(-1).values[at])}`).join(", ")} at the end; the most is ${say(most)}.`);
    clear(drawing).append(grid(), ...lines.flatMap((_, at) => paths(points, at, limit)));
    behind.show(() => table(["Time", ...lines.map((name) => ({ title: name, number: true }))],
      [...points].reverse().map((point) => [clock(point.at_ms), ...point.values.map((value) => sayOr(say, value))]),
      { caption: title }));
  }

  return { element, show };
}

/** Stacked bars: {element, show(columns)}; columns are {name, values: {kind: number}}; kinds: [key, name, class]. */
export function stackedChart(title, kinds, { none, first }) {
  const drawing = frame();
  const top = h("span", {});
  const [begin, end] = [h("span", {}), h("span", {})];
  const empty = h("p", { class: "quiet small" }, none);
  const names = h("div", {});
  const plot = h("div", { class: "chart-plot" }, h("div", { class: "chart-top quiet small", "aria-hidden": "true" }, top),
    drawing, h("div", { class: "chart-ends quiet small", "aria-hidden": "true" }, begin, end));
  const behind = folded("As a table");
  const element = figure(title, names, empty, plot, behind.element);

  function show(columns) {
    const sums = columns.map(({ values }) => Object.values(values).reduce((sum, one) => sum + one, 0));
    const most = Math.max(0, ...sums);
    empty.hidden = most > 0;
    names.hidden = plot.hidden = behind.element.hidden = most === 0;
    if (most === 0) return;
    const seen = kinds.filter(([key]) => columns.some(({ values }) => values[key]));
    replace(names, legend(seen.map(([, name, kind]) => [name, kind])));
    const limit = niceAbove(most);
    top.textContent = String(limit);
    begin.textContent = columns[0].name;
    end.textContent = columns.at(-1).name;
    drawing.setAttribute("aria-label", `${title}: ${sums.reduce((sum, one) => sum + one, 0)} in all, at most ${most} in one ${first.toLowerCase()}.`);
    clear(drawing).append(grid(), ...columns.flatMap(({ values }, at) => bars(values, at, columns.length, seen, limit)));
    behind.show(() => table([{ title: first, header: true }, ...seen.map(([, name]) => ({ title: name, number: true }))],
      columns.filter((_, at) => sums[at]).reverse().map(({ name, values }) => [name, ...seen.map(([key]) => String(values[key] ?? 0))]),
      { caption: title }));
  }

  return { element, show };
}

/** A part that can be folded open: {element, show(make)}; what is inside is made only while it is open. */
export function folded(summary) {
  const inside = h("div", { class: "folded-inside" });
  let made = () => null;
  const element = h("details", { class: "folded" }, h("summary", {}, summary), inside);
  element.addEventListener("toggle", () => replace(inside, element.open ? made() : null));
  return {
    element,
    show(make) {
      made = make;
      if (element.open && !inside.contains(document.activeElement)) replace(inside, made());
    },
  };
}

function figure(title, ...children) {
  const id = newId("figure");
  return h("div", { class: "chart", role: "group", "aria-labelledby": id }, h("h3", { id }, title), ...children);
}

function frame() {
  return svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img", class: "chart-drawing" });
}

function legend(names) {
  return h("ul", { class: "chart-legend small", "aria-hidden": "true" }, names.map(([name, kind]) =>
    h("li", {}, svg("svg", { viewBox: "0 0 24 12", width: "24", height: "12", "aria-hidden": "true" },
      kind.startsWith("line") ? svg("path", { d: "M1 6H23", class: `chart-line ${kind}` })
        : svg("rect", { x: 4, y: 0, width: 16, height: 12, class: kind })), name)));
}

function grid() {
  return svg("g", {}, [0, 0.5, 1].map((part) => svg("path", { d: `M0 ${y(part)}H${WIDE}`, class: "chart-grid" })));
}

/** The line of one value, and dots where a point has no neighbour to be joined with. */
function paths(points, at, limit) {
  const from = points[0].at_ms;
  const long = Math.max(1, points.at(-1).at_ms - from);
  const runs = [];
  let last = null;
  for (const { at_ms: moment, values } of points) {
    const value = values[at];
    const place = value === null ? null
      : `${((WIDE * (moment - from)) / long).toFixed(1)} ${y(value / limit).toFixed(1)}`;
    if (place && last !== null && moment - last <= GAP_MS) runs.at(-1).push(place);
    else if (place) runs.push([place]);
    last = place ? moment : null;
  }
  const drawn = (kind, some, end) => some.length
    ? svg("path", { d: some.map((places) => `M${places.join("L")}${end}`).join(""), class: `${kind} line-${at}` }) : null;
  return [
    drawn("chart-line", runs.filter((places) => places.length > 1), ""),
    drawn("chart-dot", runs.filter((places) => places.length === 1), "h.01"),
  ].filter(Boolean);
}

function bars(values, at, many, kinds, limit) {
  const step = WIDE / Math.max(many, 7);
  let below = 0;
  return kinds.filter(([key]) => values[key]).map(([key, , kind]) => {
    const height = ((HIGH - 2 * SIDE) * values[key]) / limit;
    const top = HIGH - SIDE - below - height;
    below += height;
    return svg("rect", { x: (at * step + step * 0.12).toFixed(1), y: top.toFixed(1), width: (step * 0.76).toFixed(1),
      height: height.toFixed(1), class: kind });
  });
}

function y(part) {
  return HIGH - SIDE - (HIGH - 2 * SIDE) * part;
}

/** The next of 1, 2, 5, 10, 20, ... that is not below. */
function niceAbove(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= value * 0.999);
}

function sayOr(say, value) {
  return value === null || value === undefined ? "none" : say(value);
}

function clock(ms) {
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(new Date(ms));
}

function ago(ms) {
  return ms < 90_000 ? `${Math.round(ms / 1000)} s ago` : `${Math.round(ms / 60_000)} min ago`;
}
