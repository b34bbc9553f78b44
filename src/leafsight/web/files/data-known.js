// What is known without a collection: what the model in service was trained on. Enters: /v1/models. Leaves:
// counts, sources and classes, and how to show one's own photographs here.

const SPLITS = [
  ["train", "Learned from"],
  ["valid", "Used to decide when to stop"],
  ["calibration", "Used to fit its probabilities"],
  ["test", "Tested on, once"],
];

/** Draws into `root`; `listing` is null for who may not see reports. */
export async function drawKnown(root, listing, context, signal) {
  const { api, elements: { busy, card, h, replace, table }, words } = context;
  replace(root, busy("Looking at the model"));
  const model = await inService(context, signal);
  const how = listing === null ? null : card("Your own photographs",
    h("p", {}, listing.collection
      ? "No report was made yet. Making one reads every photograph once; the next ones read only what changed."
      : "This tab shows the health of a collection of your own, and pictures that answer questions about it."),
    listing.hint ? h("p", {}, "To see it here, start the server with ", h("code", {}, listing.hint.replace(/^.*?: /, "")), ".") : null,
    listing.hint ? h("p", { class: "quiet" },
      "The folder holds one folder for each class, with the photographs of that class in it.") : null);
  replace(root, how, trained(model, { h, card, table }, words));
}

/** The model that answers; of one that was given as a file, and is in no registry, only its classes are known. */
async function inService({ api, conditions }, signal) {
  const { models } = await api.ask("/v1/models", { query: { limit: 200 }, signal });
  const entry = models.find((one) => one.serving);
  if (entry) return api.ask(`/v1/models/${entry.id}`, { signal });
  return { name: "The model in service", labels: (await conditions()).conditions };
}

function trained(model, { h, card, table }, words) {
  const { photographs = {}, sources = [] } = model.provenance ?? {};
  const rows = SPLITS.filter(([split]) => split in photographs)
    .map(([split, label]) => [label, words.number(photographs[split])]);
  const tested = new Map((model.metrics?.test?.per_class ?? []).map((one) => [one.name, one]));
  return card("What the model in service was trained on",
    h("p", {}, `${model.name} knows ${words.count(model.labels.length, "class", "classes")}.`
      + (rows.length ? "" : " On how many photographs it was trained is not known here.")),
    rows.length ? table([{ title: "Photographs", header: true }, { title: "How many", number: true }], rows,
      { caption: "Photographs by what they were used for" }) : null,
    sources.length ? h("p", {}, "From these collections: ", h("span", {}, sources.join(", ")), ".") : null,
    h("details", {}, h("summary", {}, `All ${words.count(model.labels.length, "class", "classes")}`),
      table([{ title: "Class", header: true }, { title: "Tested on", number: true }],
        model.labels.map((label) => [label.display, testedOn(tested.get(label.class_name), words)]),
        { caption: "Classes, and on how many photographs each was tested" })));
}

function testedOn(one, words) {
  return one ? words.number(one.photos) : "not known";
}
