// Starts the page: header, tabs, footer. Enters: the document of index.html. Leaves: a page that works.
// It knows which tabs there are and what each is handed; what a tab does is in the tab's own module.

import * as api from "./api.js";
import * as elements from "./elements.js";
import * as words from "./words.js";
import { keyControl } from "./key-dialog.js";
import { watchReach } from "./reaching.js";
import { watchServing } from "./serving.js";
import { makeTabs } from "./tabs.js";
import { themeControl } from "./themes.js";

const TABS = [
  { name: "diagnose", title: "Diagnose", load: () => import("./diagnose.js") },
  { name: "data", title: "Data", load: () => import("./data.js") },
  { name: "teach", title: "Teach", load: () => import("./teach.js") },
  { name: "models", title: "Models", load: () => import("./models.js") },
  { name: "operation", title: "Operation", load: () => import("./operation.js") },
];

let known = null;

/** What the model in service can name; asked once, and again after another model was promoted or it failed. */
function conditions() {
  known ??= api.ask("/v1/conditions").catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

const context = { api, elements, words, conditions, go: (name) => tabs.go(name) };
const tabs = makeTabs(TABS, context, {
  list: document.getElementById("tabs"),
  panels: document.getElementById("content"),
});

document.getElementById("controls").append(keyControl(), themeControl());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the fragment belongs to the tabs
  document.getElementById("content").focus();
});
watchReach(document.getElementById("reach"));
tabs.start();
watchServing(document.getElementById("serving"), document.getElementById("footer"), () => {
  known = null;
});
