// Two requests side by side: what differs between their lists.

import { element, notice } from "../dom.js";
import { itemLink, json, score } from "./parts.js";
import { correlation, overlap, shared } from "./ranks.js";
import { ask } from "./session.js";

const NAMES = ["A", "B"];
const FIRST = ['{\n  "n": 12\n}', '{\n  "n": 12,\n  "diversity": 0.3\n}'];

export function show(main) {
  const asked = new URLSearchParams(location.search);
  const sides = NAMES.map((name, index) => side(name, asked.get(name) ?? FIRST[index]));
  const told = element("p", { className: "told", role: "status" });
  const button = element("button", { className: "primary" }, "Compare");
  const form = element("form", { className: "two", "aria-label": "Compare" }, sides.map((one) => one.editor), button);
  const lists = element("div", { className: "two" }, sides.map((one) => one.list));
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    history.replaceState(null, "", `?${new URLSearchParams(sides.map((one) => [one.name, one.text.value]))}`);
    try {
      const found = await Promise.all(sides.map(listOf));
      told.textContent = found.every(Boolean) ? likeness(...found) : "";
      sides.forEach((one, index) => one.list.replaceChildren(...(found[index] ? [places(one.name, found[index], found[1 - index])] : [])));
    } finally {
      button.disabled = false;
    }
  };
  main.append(element("p", {}, "Bodies of ", element("code", {}, "POST /v1/recommendations"), ". Nothing is logged as shown."), form, told, lists);
}

function side(name, value) {
  const text = element("textarea", { name, rows: 9, spellcheck: false, value });
  const faults = element("div");
  const editor = element("div", { className: "panel" },
    element("label", { className: "field" }, `Request ${name}`, text), faults);
  return { name, text, faults, editor, list: element("div") };
}

/** The list of a side; null where its request cannot be used, which is told beside it. */
async function listOf({ text, faults }) {
  faults.replaceChildren();
  try {
    return (await ask("POST", "/v1/inspect/recommendations", json(text.value))).list;
  } catch (error) {
    if (!error.problem) throw error;
    faults.replaceChildren(notice(error));
    return null;
  }
}

function likeness(one, other) {
  const [a, b] = [one, other].map((list) => list.items.map((item) => item.item_id));
  const both = shared(a, b).length;
  const tau = correlation(a, b);
  const order = tau === null ? "" : ` Their order agrees by ${tau.toFixed(2)} (Kendall's tau: 1 the same, -1 the reverse).`;
  return `${both} of ${a.length} and ${b.length} items are in both: an overlap of ${Math.round(100 * overlap(a, b))} %.${order}`;
}

function places(name, { items, degraded }, other) {
  const there = new Map((other?.items ?? []).map((item, index) => [item.item_id, index]));
  return element("section", { "aria-label": `List ${name}` }, element("h2", {}, `List ${name}`),
    degraded ? element("p", { className: "notice bad" }, `Degraded: ${degraded}.`) : null,
    element("ol", { className: "places" }, items.map((item, index) => element("li", {},
      element("span", {}, itemLink(item), element("small", {}, `${item.categories.join(", ")} · ${item.source} ${score(item.score)}`)),
      mark(index, there.get(item.item_id), other)))));
}

/** Against the other list. */
function mark(index, elsewhere, other) {
  if (!other) return null;
  const name = (className, text, words) => element("span", { className: `mark ${className}` }, element("span", { "aria-hidden": "true" }, text), element("span", { className: "unseen" }, words));
  if (elsewhere === undefined) return name("only", "only here", "only in this list");
  const by = elsewhere - index;
  if (by === 0) return name("same", "=", "at the same place");
  return by > 0 ? name("up", `▲${by}`, `${by} higher than in the other`) : name("down", `▼${-by}`, `${-by} lower than in the other`);
}
