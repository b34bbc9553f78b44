// Tabs by the pattern of the WAI-ARIA Authoring Practices: one is in the tab order, arrows go to its neighbours.
// Enters: tabs with a name, a title and a way to load them. Leaves: a row of tabs and a panel each; the fragment
// of the address names the one that is shown, so that Back, bookmarks and links work.

import { busy, failure, h, replace } from "./elements.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** The tabs, not shown yet: {start(), go(name)}. */
export function makeTabs(tabs, context, { list, panels }) {
  const views = new Map(tabs.map((tab) => [tab.name, makeView(tab, context)]));
  let current = null;

  function show(name) {
    if (current === views.get(name)) return;
    current?.leave();
    current = views.get(name);
    for (const view of views.values()) view.select(view === current);
    document.title = `${current.title} \u00b7 leafsight`;
    current.enter();
  }

  function choose(name) {
    if (fragment() !== name) history.pushState(null, "", `#${name}`);
    show(name);
  }

  function onKey(event) {
    const at = tabs.findIndex((tab) => views.get(tab.name) === current);
    const last = tabs.length - 1;
    let next = { Home: 0, End: last }[event.key] ?? null;
    if (event.key in STEPS) next = (at + STEPS[event.key] + tabs.length) % tabs.length;
    if (next === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(tabs[next].name);
    views.get(tabs[next].name).button.focus();
  }

  function onFragment() {
    if (views.has(fragment())) show(fragment());
  }

  return {
    start() {
      for (const view of views.values()) {
        list.append(view.button);
        panels.append(view.panel);
        view.button.addEventListener("click", () => choose(view.name));
      }
      list.addEventListener("keydown", onKey);
      window.addEventListener("hashchange", onFragment);
      window.addEventListener("popstate", onFragment);
      document.addEventListener("visibilitychange", () => (document.hidden ? current?.leave() : current?.enter()));
      show(views.has(fragment()) ? fragment() : tabs[0].name);
    },
    go(name) {
      choose(name);
      views.get(name).panel.focus();
    },
  };
}

/** "#models/abc" names the tab models; what comes after the stroke is the tab's own. */
function fragment() {
  return location.hash.slice(1).split("/")[0];
}

function makeView({ name, title, load }, context) {
  const button = h("button", {
    type: "button", role: "tab", class: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`,
    "aria-selected": false, tabindex: "-1",
  }, title);
  const panel = h("div", {
    role: "tabpanel", class: `panel panel-${name}`, id: `panel-${name}`, "aria-labelledby": `tab-${name}`,
    tabindex: "0", hidden: true,
  });
  let tab = null;
  let loading = null;
  let shown = false;

  async function open() {
    replace(panel, busy("Loading"));
    try {
      tab = await load();
    } catch {
      loading = null;
      replace(panel, failure({ detail: "this part of the page could not be loaded", hint: "is the server there?" },
        () => location.reload()));
      return;
    }
    mount();
  }

  function mount() {
    replace(panel);
    try {
      Promise.resolve(tab.mount(panel, context)).catch(broken);
      if (shown) tab.shown?.();
    } catch (error) {
      broken(error);
    }
  }

  function broken(error) {
    const isProblem = error.status !== undefined; // everything else is a bug of the page
    if (!isProblem) console.error(error);
    replace(panel, failure(isProblem ? error : { detail: "this part of the page does not work",
      hint: String(error.message ?? error) }, mount));
  }

  return {
    name,
    title,
    button,
    panel,
    select(selected) {
      button.setAttribute("aria-selected", String(selected));
      button.tabIndex = selected ? 0 : -1;
      panel.hidden = !selected;
      if (selected) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    },
    enter() {
      if (shown) return;
      shown = true;
      if (tab) tab.shown?.();
      else loading ??= open();
    },
    leave() {
      if (!shown) return;
      shown = false;
      tab?.hidden?.();
    },
  };
}
