// What several pages of the console are made of.

import { element } from "../dom.js";

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
