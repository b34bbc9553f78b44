// The classes that a photograph may be of: those that the model knows, those that were declared, and how one becomes
// declared or is no more. Enters: /v1/conditions, /v1/classes/declared and a person's choice. Leaves: the name of a class.

import { ask } from "./api.js";
import { askLabel } from "./teach-look-label.js";

/** {choose(many, but), declare(name), declared(), takeBack(name)}: a class for so many photographs, another than `but`; null when nobody chose. */
export function makeClasses({ conditions }) {
  /** Known ones in the order of the model, then those that were declared. */
  async function offered(but) {
    const [{ conditions: known }, { classes: declared }] = await Promise.all([conditions(), ask("/v1/classes/declared")]);
    const names = new Set(known.map((one) => one.class_name));
    return [...known.map((one) => ({ label: one.class_name, display: one.display, state: "" })),
      ...declared.filter((one) => !names.has(one.name)).map((one) => ({ label: one.name, display: one.display ?? one.name, state: "declared" }))]
      .filter((one) => one.label !== but);
  }

  async function declare(name) {
    await ask("/v1/classes/declared", { method: "POST", body: { name, note: "" }, idempotent: true });
  }

  async function declared() {
    return (await ask("/v1/classes/declared")).classes;
  }

  /** Those that are left. */
  async function takeBack(name) {
    return (await ask(`/v1/classes/declared/${encodeURIComponent(name)}`, { method: "DELETE", idempotent: true })).classes;
  }

  async function choose(many, but = null) {
    const label = await askLabel(await offered(but), many, "Accept");
    if (label?.isNew) await declare(label.label);
    return label;
  }

  return { choose, declare, declared, takeBack };
}
