// Load and health: how much is asked, how fast it is answered, and what of the service works.
// Enters: answers of /v1/load. Leaves: two cards that show them.

import { card, h, replace, table } from "./elements.js";
import { folded, lineChart } from "./operation-charts.js";
import { bytes, count, duration, number } from "./words.js";

const NONE = "A line appears after some seconds of looking.";

/** {element, show(load)}: figures of the last minute, and three charts of the last quarter of an hour. */
export function loadCard() {
  const figures = h("dl", { class: "figures" });
  const rates = lineChart("Asked a second", ["Photographs", "Requests"], rate, { none: NONE });
  const latency = lineChart("Time to a diagnosis", ["Half within", "95 % within", "99 % within"], duration,
    { none: "Nothing was diagnosed in the last quarter of an hour." });
  const refusals = lineChart("Refused and failed a second", ["Refused", "Failed"], rate, { none: NONE });
  const reasons = h("p", { class: "quiet small" });
  const element = card("Load", figures, h("div", { class: "charts" }, rates.element, latency.element, refusals.element), reasons);

  function show(load) {
    const { per_second: now, latency_ms: times, series } = load;
    replace(figures,
      fact("Photographs a second", rate(now.photographs)),
      fact("Requests a second", rate(now.requests)),
      fact("Half answered within", times.p50 === undefined ? "none yet" : duration(times.p50)),
      fact("99 % within", times.p99 === undefined ? "none yet" : duration(times.p99)),
      fact("Photographs waiting", number(load.waiting_photographs)),
      fact("Refused a second", rate(now.refused)));
    rates.show(series.map((one) => point(one, one.per_second.photographs, one.per_second.requests)));
    latency.show(series.map((one) => point(one, one.latency_ms.p50, one.latency_ms.p95, one.latency_ms.p99)));
    refusals.show(series.map((one) => point(one, one.per_second.refused, one.per_second.failed)));
    reasons.textContent = sinceStart(load);
  }

  return { element, show };
}

/** {element, show(load), stored(insight)}: what works, and what each process takes. */
export function healthCard() {
  const list = h("ul", { class: "health" });
  const kept = h("span", {});
  const processes = folded("Processes");
  const versions = h("p", { class: "quiet small" });
  const element = card("Health", list, processes.element, versions);

  function show(load) {
    const { health, model } = load;
    replace(list,
      state(health.ready, "Ready", health.ready ? `for ${duration(load.uptime_s * 1000)}` : "starting, or about to end"),
      state(true, "Model", model.name, h("code", { class: "quiet" }, ` ${model.hash.slice(0, 8)}`)),
      state(health.database.ok, "Database", health.database.said),
      health.jobs ? state(health.jobs.ok, "Jobs", health.jobs.said) : null,
      state(health.store.ok, "Kept photographs", health.store.ok ? kept : health.store.said));
    processes.show(() => table([{ title: "Process", header: true }, { title: "Memory", number: true }, "Model"],
      load.processes.map((one) => [String(one.number), bytes(one.memory_bytes), `${one.model_name} ${one.model.slice(0, 8)}`]),
      { caption: "Pages that processes share count in each" }));
    versions.textContent = `leafsight ${load.versions.leafsight}, Python ${load.versions.python}, ONNX Runtime ${load.versions.onnxruntime}`;
  }

  return {
    element,
    show,
    stored(insight) {
      kept.textContent = insight.stored_photographs ? count(insight.stored_photographs, "photograph") : "none";
    },
  };
}

function state(works, what, ...said) {
  return h("li", {}, h("span", { class: works ? "health-mark good" : "health-mark bad", "aria-hidden": "true" }, works ? "\u2713" : "\u2717"),
    h("span", { class: "unseen" }, works ? "Works: " : "Does not work: "), h("strong", {}, what), " ", ...said);
}

function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function point({ at_ms }, ...values) {
  return { at_ms, values: values.map((value) => value ?? null) };
}

function rate(value) {
  return number(value, value > 0 && value < 10 ? 1 : 0);
}

function sinceStart({ totals, refused_by_reason: reasons }) {
  const why = Object.entries(reasons).map(([reason, many]) => `${number(many)} ${reason.replaceAll("-", " ")}`);
  const because = why.length ? ` (${why.join(", ")})` : "";
  return `Since the start: ${count(totals.photographs, "photograph")}, ${count(totals.requests, "request")}, ` +
    `${number(totals.refused)} refused${because}, ${number(totals.failed)} failed.`;
}
