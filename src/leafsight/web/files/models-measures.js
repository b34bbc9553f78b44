// What was measured of a model, read with care: a model of another make brings other measures, or none.
// Enters: the answer of /v1/models/{id}. Leaves: plain records. It knows no element.

/** What the page shows, in the order in which people ask; `name` is how a report calls it. */
export const MEASURES = [
  { key: "accuracy", title: "First guess right", name: "accuracy", better: "higher", kind: "share" },
  { key: "crop_given_accuracy", title: "First guess right, crop given", better: "higher", kind: "share" },
  { key: "answered", title: "Names a condition", better: null, kind: "share" },
  { key: "accuracy_answered", title: "Right when it names one", better: "higher", kind: "share" },
  { key: "wrong_silenced", title: "Wrong guesses that it keeps back", better: "higher", kind: "share" },
  { key: "set_coverage", title: "Truth among what it cannot exclude", name: "coverage", better: "higher", kind: "share" },
  { key: "mean_set_size", title: "Classes that it cannot exclude, on average", better: "lower", kind: "number" },
  { key: "macro_f1", title: "Macro F1", better: "higher", kind: "share" },
  { key: "ece", title: "How far its probabilities are off", name: "ECE", better: "lower", kind: "share" },
];

/** Groups of photographs that a model was tested on: {name, title, abroad, photos, measures}; home first. */
export function testedOn(model) {
  const test = model.metrics?.test;
  const home = entry(test?.overall, "Like those it learned from", false);
  const parts = list(test?.domains).length > 1 ? list(test.domains).map((one) => entry(one, one?.name, false)) : [];
  const abroad = Object.entries(model.metrics?.abroad ?? {}).map(([name, report]) =>
    entry(report?.overall, `From elsewhere: ${name}`, true, name));
  return [home, ...parts, ...abroad].filter(Boolean);
}

/** The photographs most like those of training, all together; null where nothing was measured. */
export function atHome(model) {
  return testedOn(model).find((one) => one.name === "all" && !one.abroad) ?? null;
}

/** The photographs from collections that the model never saw. */
export function abroad(model) {
  return testedOn(model).filter((one) => one.abroad);
}

/** One measure as {value, low, high}, or null. */
export function measure(tested, key) {
  const found = tested?.measures?.[key];
  if (typeof found === "number") return { value: found, low: null, high: null };
  return Number.isFinite(found?.value) ? found : null;
}

/** How each class did: {name, display, crop, photos, found, right}; `found` and `right` are measures or null. */
export function byClass(model) {
  const measured = new Map(list(model.metrics?.test?.per_class).map((one) => [one?.name, one]));
  return list(model.labels).map((label) => {
    const one = measured.get(label.class_name);
    return {
      ...label,
      photos: Number.isFinite(one?.photos) ? one.photos : null,
      found: one?.photos ? one.recall ?? null : null,
      right: one?.answered ? one.precision ?? null : null,
    };
  });
}

/** The mistakes it makes most: {truth, answer, photos, share}. */
export function mixUps(model, most = 6) {
  const shown = new Map(list(model.labels).map((label) => [label.class_name, label.display]));
  const name = (key) => shown.get(key) ?? String(key);
  return list(model.metrics?.test?.confused).slice(0, most).map((one) => ({
    truth: name(one.true), answer: name(one.answer), photos: one.photos, share: one.share,
  }));
}

/** Crops and conditions that a model can name, without "not a leaf". */
export function known(model) {
  const leaves = list(model.labels).filter((label) => label.is_leaf);
  return { conditions: leaves.length, crops: [...new Set(leaves.map((label) => label.crop).filter(Boolean))] };
}

/** What stands for the photographs that a model was tested on; null where the model does not say. */
export function testFingerprint(model) {
  return model.provenance?.split_fingerprint ?? model.provenance?.data_fingerprint ?? null;
}

function entry(report, title, isAbroad, name = report?.name) {
  if (!report?.metrics) return null;
  return { name, title: String(title), abroad: isAbroad, photos: report.photos ?? null, measures: report.metrics };
}

function list(value) {
  return Array.isArray(value) ? value : [];
}
