// The line above the answers: how far it is, what came of it, and what can be done with all of them. Enters: the queue's
// state and the photographs. Leaves: buttons and one sentence that is read aloud now and then.

import { dialog, failure, h, notice, replace } from "./elements.js";
import { saveCsv } from "./diagnose-csv.js";
import { count, verdictName } from "./words.js";

const MANY = 8;

/** {element, update()}; tools: queue, photos(), again(photos), filter(shows), clear(). */
export function makeSummary(tools) {
  const said = h("p", { class: "summary-said", role: "status" });
  const progress = h("progress", { class: "summary-progress", max: "1", value: "0", "aria-label": "Answered" });
  const trouble = h("div");
  const stop = h("button", { type: "button", onclick: () => tools.queue.stop() }, "Stop");
  const again = h("button", { type: "button", onclick: () => tools.again(unanswered()) });
  const save = h("button", { type: "button", onclick: () => saveCsv(tools.photos()) }, "Save as CSV");
  const clear = h("button", { type: "button", class: "plain", onclick: () => askToClear(tools) }, "Clear");
  const filter = h("select", { "aria-label": "Show", onchange: () => tools.filter(shows()) });
  const element = h("section", { class: "summary stack", "aria-label": "All photographs", hidden: true },
    h("div", { class: "summary-row" }, said, h("div", { class: "row" }, filter, stop, again, save, clear)), progress, trouble);
  let troubled = null;

  function unanswered() {
    return tools.photos().filter((photo) => photo.state === "failed" || photo.state === "stopped");
  }

  function shows() {
    const wanted = filter.value;
    return (photo) => !wanted || kindOf(photo) === wanted;
  }

  function update() {
    const photos = tools.photos();
    const { busy, done, total, halted, resting } = tools.queue.state;
    element.hidden = photos.length === 0;
    const text = busy ? `${done} of ${count(total, "photograph")} answered` : tallyOf(photos);
    if (said.textContent !== text) replace(said, text);
    progress.hidden = !busy;
    progress.value = total ? done / total : 0;
    stop.hidden = !busy;
    again.hidden = busy || unanswered().length === 0;
    replace(again, `Try ${count(unanswered().length, "photograph")} again`);
    save.hidden = !photos.some((photo) => photo.answer);
    clear.hidden = busy;
    updateFilter(photos);
    showTrouble(halted, resting);
  }

  function updateFilter(photos) {
    filter.hidden = photos.length <= MANY;
    const kinds = [...countKinds(photos)];
    const held = filter.value;
    replace(filter, h("option", { value: "" }, `All ${photos.length}`), kinds.map(([kind, n]) => h("option", { value: kind }, `${nameOf(kind)}: ${n}`)));
    filter.value = kinds.some(([kind]) => kind === held) ? held : "";
    tools.filter(shows());
  }

  function showTrouble(halted, resting) {
    const kind = halted ?? (resting ? "resting" : null);
    if (kind === troubled) return;
    troubled = kind;
    if (halted) replace(trouble, failure(halted, () => tools.queue.goOn()));
    else replace(trouble, resting ? notice("warn", "The server is busy. It goes on by itself in a moment.") : null);
  }

  return { element, update };
}

function tallyOf(photos) {
  const parts = [...countKinds(photos)].map(([kind, n]) => `${n} ${kind === "diagnosis" ? "diagnosed" : nameOf(kind).toLowerCase()}`);
  return `${count(photos.length, "photograph")}: ${parts.join(", ")}`;
}

function countKinds(photos) {
  const counts = new Map();
  for (const photo of photos) counts.set(kindOf(photo), (counts.get(kindOf(photo)) ?? 0) + 1);
  return counts;
}

function kindOf(photo) {
  return photo.state === "answered" ? photo.answer.verdict : photo.state;
}

function nameOf(kind) {
  return { waiting: "Waiting", sending: "Being sent", stopped: "Not sent", failed: "Failed" }[kind] ?? verdictName(kind);
}

function askToClear(tools) {
  const asked = dialog("Clear the answers?",
    h("p", {}, "They go from this page. What the server wrote down stays there."),
    h("div", { class: "row" },
      h("button", { type: "button", class: "primary", onclick: () => { tools.clear(); asked.close(); } }, "Clear"),
      h("button", { type: "button", onclick: () => asked.close() }, "Keep them")));
  asked.open();
}
