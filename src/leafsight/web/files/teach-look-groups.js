// The sections that are shown: one a class, or one an upload. Enters: the summary, what is wanted, and contributions
// page by page. Leaves: sections below `root`. It knows no deed and no choice.

import { h, replace } from "./elements.js";
import { makePages } from "./teach-look-pages.js";
import { makeSection } from "./teach-look-section.js";
import { FILTERS } from "./teach-look-words.js";
import { when } from "./words.js";

/** {draw(summary, state, may), sections(), sectionOf(tile), put(contribution), drop()}; `seen(contributions)` is told of each page. */
export function makeGroups(root, context, { seen, emptied }) {
  let shown = new Map(); // name -> {section, pages, name}
  let pages = [];
  let wanted = null;

  function draw(summary, state, several) {
    drop();
    wanted = { ...state, filter: FILTERS.find((one) => one.name === state.filter), several };
    if (state.by === "upload") drawUploads();
    else drawClasses(summary);
    for (const one of pages) one.start();
  }

  function query(more) {
    return { state: wanted.filter.state, label: wanted.label || null, finding: wanted.finding || wanted.filter.finding || null, ...more };
  }

  function drawClasses({ labels }) {
    const some = labels.filter((one) => one[wanted.filter.state] > 0 && (!wanted.label || one.label === wanted.label));
    for (const one of some) {
      const group = addGroup(one.label, one.display);
      group.section.expect(wanted.filter.finding || wanted.finding ? 1 : one[wanted.filter.state]);
      group.pages = addPages(query({ label: one.label }), (found, isLast) => {
        group.section.add(found);
        group.isWhole = isLast;
        if (isLast) hideEmpty(group);
      });
      group.section.element.append(group.pages.end);
    }
    if (!some.length) emptied();
  }

  function drawUploads() {
    const stream = addPages(query({}), (found, isLast) => {
      for (const one of found) group(one).section.add([one]);
      for (const each of shown.values()) each.isWhole = isLast;
      if (isLast && !shown.size) emptied();
    });
    root.append(stream.end);
    function group(one) {
      const name = one.upload ?? "";
      return shown.get(name) ?? addGroup(name, one.upload ? `Sent ${when(one.created_at)}` : "Corrections of served predictions", stream.end);
    }
  }

  function addGroup(name, title, before = null) {
    const group = { name, title, section: makeSection(title, { several: wanted.several }), pages: null, isWhole: false };
    shown.set(name, group);
    root.insertBefore(group.section.element, before);
    return group;
  }

  function addPages(asked, take) {
    const one = makePages(context, asked, (found, isLast) => {
      take(found, isLast);
      seen(found);
    });
    pages.push(one);
    return one;
  }

  function hideEmpty(group) {
    group.section.element.hidden = !group.section.tiles().length;
    if ([...shown.values()].every((one) => one.isWhole && one.section.element.hidden)) emptied();
  }

  function drop() {
    for (const one of pages) one.stop();
    for (const { section } of shown.values()) section.drop();
    pages = [];
    shown = new Map();
    replace(root);
  }

  return {
    draw,
    drop,
    sections: () => [...shown.values()],
    sectionOf: (tile) => [...shown.values()].find(({ section }) => section.box === tile.element.parentElement),
    /** A contribution that may be shown again; null where the server will still bring it. */
    put(one) {
      const group = shown.get(wanted.by === "upload" ? one.upload ?? "" : one.label);
      if (!group || !wanted.filter.fits(one)) return null;
      group.section.element.hidden = false;
      return group.section.put(one, group.isWhole);
    },
    take(tile) {
      const group = this.sectionOf(tile);
      group?.section.take(tile);
      if (group?.isWhole) hideEmpty(group);
    },
    fits: (one) => wanted.filter.fits(one) && (!wanted.label || one.label === wanted.label),
  };
}

/** The line under the heading of a class that the model does not know. */
export function unknownLine(label, may, { declare, relabel, takeBack }) {
  if (label.known) return null;
  if (label.declared) {
    return h("div", { class: "row look-declared" }, h("p", { class: "quiet small" }, "A new class: declared, not known yet to the model in service."),
      may ? h("button", { type: "button", class: "plain", "aria-label": `Take back ${label.display} as a class`, onclick: takeBack }, "Take it back") : null);
  }
  return h("div", { class: "row look-unknown" },
    h("p", { class: "small" }, h("strong", {}, "Not known yet."), " Photographs of a new class can be accepted when the class is declared."),
    may ? h("button", { type: "button", onclick: declare }, "Declare it as a class") : null,
    may ? h("button", { type: "button", class: "plain", onclick: relabel }, "It is a known class") : null);
}
