// A model card, from Markdown to nodes: headings, paragraphs, lists, tables, code, bold, links. Enters: text that
// came with a model, so of nobody known. Leaves: nodes; no HTML in it is ever read, and only http(s) links lead away.

import { h, table } from "./elements.js";

const MOST_CHARACTERS = 200_000;
const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\][]{1,300})\]\(([^()\s]{1,500})\)/g;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^\s{0,3}(?:([-*+])|\d{1,3}[.)])\s+(.*)$/;

/** Nodes of `text`; its highest headings become h{level}. A title equal to `without` is left out. */
export function markdown(text, { level = 3, without = "" } = {}) {
  const lines = String(text ?? "").slice(0, MOST_CHARACTERS).split(/\r?\n/);
  const blocks = blocksOf(lines).filter((block, at) => !(at === 0 && block.depth && block.text === without));
  const highest = Math.min(...blocks.filter((block) => block.depth).map((block) => block.depth));
  const nodes = blocks.map((block) => block.build(level - highest));
  if (String(text ?? "").length > MOST_CHARACTERS) nodes.push(h("p", { class: "quiet" }, "The rest is left out: it is too long to show."));
  return nodes;
}

/** What stands under the heading `title`, up to the next heading; empty where there is none. */
export function section(text, title) {
  const lines = String(text ?? "").slice(0, MOST_CHARACTERS).split(/\r?\n/);
  const start = lines.findIndex((line) => HEADING.exec(line)?.[2].toLowerCase() === title.toLowerCase());
  if (start < 0) return "";
  const length = lines.slice(start + 1).findIndex((line) => HEADING.test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n").trim();
}

function blocksOf(lines) {
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    const start = at;
    if (!line.trim()) at += 1;
    else if (line.startsWith("```")) at = fence(lines, at, blocks);
    else if (HEADING.test(line)) at = heading(lines, at, blocks);
    else if (isTable(lines, at)) at = grid(lines, at, blocks);
    else if (ITEM.test(line)) at = list(lines, at, blocks);
    else at = paragraph(lines, at, blocks);
    if (at === start) at += 1; // a line that nothing takes must not hold the page
  }
  return blocks;
}

function fence(lines, start, blocks) {
  let end = start + 1;
  while (end < lines.length && !lines[end].startsWith("```")) end += 1;
  const code = lines.slice(start + 1, end).join("\n");
  blocks.push({ build: () => h("pre", {}, h("code", {}, code)) });
  return end + 1;
}

function heading(lines, at, blocks) {
  const [, marks, text] = HEADING.exec(lines[at]);
  const depth = marks.length;
  blocks.push({ depth, text, build: (shift) => h(`h${Math.min(6, Math.max(2, depth + shift))}`, {}, inline(text)) });
  return at + 1;
}

function grid(lines, start, blocks) {
  let end = start + 2;
  while (end < lines.length && lines[end].trim().startsWith("|")) end += 1;
  const columns = cells(lines[start]).map((title) => ({ title }));
  const rows = lines.slice(start + 2, end).map((line) => cells(line).map((cell) => h("span", {}, inline(cell))));
  blocks.push({ build: () => table(columns, rows) });
  return end;
}

function list(lines, start, blocks) {
  const items = [];
  let at = start;
  const tag = ITEM.exec(lines[start])[1] ? "ul" : "ol";
  for (; at < lines.length; at += 1) {
    const found = ITEM.exec(lines[at]);
    if (found) items.push(found[2]);
    else if (!lines[at].trim() && ITEM.test(lines[at + 1] ?? "")) continue;
    else if (lines[at].trim() && /^\s/.test(lines[at])) items[items.length - 1] += ` ${lines[at].trim()}`;
    else break;
  }
  blocks.push({ build: () => h(tag, {}, items.map((item) => h("li", {}, inline(item)))) });
  return at;
}

function paragraph(lines, start, blocks) {
  let end = start;
  while (end < lines.length && lines[end].trim() && !HEADING.test(lines[end]) && !lines[end].startsWith("```")
    && !(end > start && (ITEM.test(lines[end]) || isTable(lines, end)))) end += 1;
  const text = lines.slice(start, end).map((line) => line.trim().replace(/^>\s?/, "")).join(" ");
  blocks.push({ build: () => h("p", {}, inline(text)) });
  return end;
}

function isTable(lines, at) {
  return lines[at].trim().startsWith("|") && /^[\s|:-]*-[\s|:-]*$/.test(lines[at + 1] ?? "");
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

/** Text with code, bold and links; everything else stays as it is written. */
function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(text.slice(end, found.index));
    end = found.index + found[0].length;
    const [whole, code, bold, words, address] = found;
    if (code) nodes.push(h("code", {}, code));
    else if (bold) nodes.push(h("strong", {}, inline(bold)));
    else nodes.push(link(words, address) ?? whole);
  }
  nodes.push(text.slice(end));
  return nodes;
}

function link(words, address) {
  if (!/^https?:\/\//i.test(address)) return null;
  try {
    return h("a", { href: new URL(address).href, rel: "noopener noreferrer", target: "_blank" }, words);
  } catch {
    return null;
  }
}
