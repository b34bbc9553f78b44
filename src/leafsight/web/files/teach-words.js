// What became of an upload, in words. Enters: an upload of the API. Leaves: nodes.

const STATES = {
  waiting: { word: "Not looked into yet", kind: "quiet" },
  checked: { word: "Looked into", kind: "good" },
  refused: { word: "Cannot be used", kind: "bad" },
};
const CLASSES_SHOWN = 12;

/** One or two words, and how good they are. */
export function stateWords(upload) {
  if (upload.job?.state === "running") return { word: "Being looked into", kind: "quiet" };
  if (upload.job?.state === "failed") return { word: "Could not be looked into", kind: "warn" };
  if (upload.job?.state === "cancelled") return { word: "Kept, not looked into", kind: "quiet" };
  return STATES[upload.state] ?? { word: upload.state, kind: "quiet" };
}

/** What was found, or why nothing was. */
export function result(upload, { elements: { h }, words }) {
  const job = upload.job;
  if (job?.state === "failed") {
    return h("p", { class: "small" }, sentence(job.error?.message), " ", sentence(job.error?.hint),
      " What was sent is kept.");
  }
  const found = job?.result;
  if (!found) return null;
  if (found.refused) {
    return h("p", { class: "small" }, sentence(found.refused.message), " ", sentence(found.refused.hint),
      " What was sent is kept.");
  }
  const left = found.left_out
    ? h("p", {}, `${words.count(found.left_out, "file")} left out and not kept: no photographs, or they cannot be read.`) : null;
  const went = wentOn(found.contributions, words);
  const details = [classes(found, h, words), faulty(found, h), twice(found, h), notes(found, h)].filter(Boolean);
  return h("div", { class: "teach-result small" }, h("p", {}, summary(found, words)), went ? h("p", {}, went) : null, left,
    details.length ? h("details", {}, h("summary", {}, "Details"), details) : null);
}

function summary(found, words) {
  if (found.photographs === 1 && found.usable === 1) return "It can be used.";
  const unusable = found.photographs - found.usable;
  const parts = [`${words.count(found.photographs, "photograph")} in ${words.count(found.classes, "class", "classes")}.`];
  if (unusable) parts.push(`${words.number(unusable)} cannot be used: ${kinds(found.faults)}.`);
  if (found.twice.photographs) parts.push(`${words.number(found.twice.photographs)} of them twice, with the same pixels.`);
  if (!unusable && !found.twice.photographs) parts.push("All can be used, and none is in it twice.");
  return parts.join(" ");
}

/** What went on to be accepted or rejected, when it was looked into; what was decided since stands in the second step. */
function wentOn(made, words) {
  if (!made?.contributions) return "";
  const { contributions: all, added, refused, clean, accepted = 0 } = made;
  if (added < all) return `${words.count(all, "photograph")} went on to be looked through.`; // some at an earlier look: of these it is not told
  if (all === 1) {
    return refused ? "It was rejected at once: it is of the locked test." : accepted ? "It was accepted by the rule."
      : `It went on to be looked through, ${clean ? "without doubts" : "with a doubt"}.`;
  }
  const parts = [];
  if (all > refused) parts.push(`${words.count(all - refused, "photograph")} went on to be looked through, ${clean ? words.number(clean) : "none"} of them without doubts.`);
  if (accepted) parts.push(`${words.number(accepted)} of these ${accepted === 1 ? "was" : "were"} accepted by the rule.`);
  if (refused) parts.push(`${words.number(refused)} ${refused === 1 ? "was rejected at once: it is" : "were rejected at once: they are"} of the locked test.`);
  return parts.join(" ");
}

function kinds(faults) {
  return Object.entries(faults).map(([kind, count]) => `${count} ${kind.replaceAll("-", " ")}`).join(", ");
}

function classes(found, h, words) {
  const all = Object.entries(found.class_counts);
  if (found.photographs < 2 || !all.length) return null;
  const shown = all.slice(0, CLASSES_SHOWN).map(([name, count]) => h("li", {}, `${name}: ${words.number(count)}`));
  const rest = found.classes - shown.length;
  return h("ul", { class: "teach-classes" }, shown, rest > 0 ? h("li", {}, `and ${words.count(rest, "more class", "more classes")}`) : null);
}

function faulty(found, h) {
  if (!found.faulty.length) return null;
  return [h("p", {}, "Cannot be used:"), h("ul", {}, found.faulty.map((one) =>
    h("li", {}, h("code", {}, one.photograph), ` ${one.fault}`)))];
}

function twice(found, h) {
  if (!found.twice.examples.length) return null;
  return [h("p", {}, "The same pixels:"), h("ul", {}, found.twice.examples.map((names) =>
    h("li", {}, h("code", {}, names.join("  =  ")))))];
}

function notes(found, h) {
  return found.notes.length ? h("ul", {}, found.notes.map((note) => h("li", {}, sentence(note)))) : null;
}

function sentence(text) {
  if (!text) return "";
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
