// How numbers and answers are said, in one place, so that all tabs say them alike.
// Enters: values of the API. Leaves: plain English. It knows no element and no request.

const NOT_MEASURED = "not measured";

/** A share 0..1 as a percentage that never rounds to certainty; `digits` after the point. */
export function percent(p, digits = 0) {
  if (!isNumber(p)) return NOT_MEASURED;
  const smallest = 10 ** -digits;
  if (p > 0 && p * 100 < smallest) return `under ${smallest} %`;
  if (p < 1 && 100 - p * 100 < smallest) return `over ${(100 - smallest).toFixed(digits)} %`;
  return `${(p * 100).toFixed(digits)} %`;
}

/** What a calibrated probability means in words. */
export function plainConfidence(p) {
  if (!isNumber(p)) return "not known";
  if (p >= 0.95) return "very likely";
  if (p >= 0.8) return "likely";
  if (p >= 0.5) return "more likely than not";
  if (p >= 0.2) return "possible";
  return "unlikely";
}

/** Milliseconds since 1970 as a date and time of this place. */
export function when(ms) {
  if (!isNumber(ms)) return "not known";
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" }).format(new Date(ms));
}

/** A number of bytes. */
export function bytes(n) {
  if (!isNumber(n)) return "not known";
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A measure {value, low, high} with its interval; kind: share (of 1) or number. */
export function withInterval(measure, kind = "share") {
  if (!isNumber(measure?.value)) return NOT_MEASURED;
  const show = (value) => (kind === "share" ? (value * 100).toFixed(1) : number(value, 1));
  const unit = kind === "share" ? " %" : "";
  if (!isNumber(measure.low) || !isNumber(measure.high)) return `${show(measure.value)}${unit}`;
  return `${show(measure.value)}${unit} (${show(measure.low)} to ${show(measure.high)})`;
}

/** A length of time in milliseconds. */
export function duration(ms) {
  if (!isNumber(ms)) return NOT_MEASURED;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86400) return `${(seconds / 3600).toFixed(1)} h`;
  return count(Math.round(seconds / 86400), "day");
}

/** A whole number in groups: 12,345. */
export function number(n, digits = 0) {
  if (!isNumber(n)) return NOT_MEASURED;
  return new Intl.NumberFormat("en-GB", { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(n);
}

/** "1 photograph", "3 photographs"; `many` where an s is not enough. */
export function count(n, one, many = `${one}s`) {
  return `${number(n)} ${n === 1 ? one : many}`;
}

const VERDICTS = {
  diagnosis: "A condition is named.",
  cannot_tell: "The model cannot tell.",
  not_a_leaf: "This does not look like a leaf.",
  too_blurred: "The photograph is too blurred.",
  unreadable: "The photograph cannot be read.",
};

/** A verdict of the API as one sentence. */
export function sentence(verdict) {
  return VERDICTS[verdict] ?? plain(verdict);
}

const VERDICT_NAMES = {
  diagnosis: "Diagnosis",
  cannot_tell: "Cannot tell",
  not_a_leaf: "Not a leaf",
  too_blurred: "Too blurred",
  unreadable: "Unreadable",
};

/** A verdict as a heading or the first cell of a row. */
export function verdictName(verdict) {
  return VERDICT_NAMES[verdict] ?? plain(verdict);
}

/** A key such as `early_blight` in plain letters: "Early blight". */
export function plain(key) {
  const text = String(key ?? "").replaceAll("_", " ").replaceAll("/", ": ").trim();
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
