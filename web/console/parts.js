// What several pages of the console are made of.

import { Refused } from "../api.js";
import { breakable, element } from "../dom.js";

/** A table that scrolls by itself where it is wider than the page. Cells are text or elements. */
export function table(label, columns, rows) {
  return element("div", { className: "wide", role: "region", "aria-label": label, tabIndex: 0 },
    element("table", {},
      element("thead", {}, element("tr", {}, columns.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, rows.map((cells) => element("tr", {}, cells.map((cell) => element("td", {}, cell)))))));
}

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A time of the API, as people read it here. */
export function moment(text) {
  return moments.format(new Date(text));
}

/** A number's share of the most, from 0 to 1, as a bar. The number itself stands beside it. */
export function bar(share) {
  return element("span", { className: "bar", "aria-hidden": "true", style: `--share: ${(100 * share).toFixed(1)}%` });
}

/** Leads to what is known about an item. */
export function itemLink({ item_id, title }) {
  return element("a", { href: `/console/item?id=${encodeURIComponent(item_id)}` }, title || item_id);
}

/** Several items in a row. */
export function named(items) {
  return element("span", { className: "row-of" }, items.flatMap((one, place) => [place ? ", " : "", itemLink(one)]));
}

/** A score with as many digits as tell something. */
export function score(value) {
  return Number(value).toPrecision(3);
}

/** What somebody typed. Throws Refused where it is no JSON. */
export function json(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refused({ detail: `This is no JSON: ${error.message}.` });
  }
}

/** A part of a page under its heading. */
export function section(title, ...content) {
  return element("section", { "aria-label": title }, element("h2", {}, title), content);
}

/** Names and what they are: [[name, text or element]]. */
export function pairs(all) {
  return element("dl", { className: "facts" }, all.flatMap(([name, value]) => [element("dt", {}, breakable(name)), element("dd", {}, value)]));
}
