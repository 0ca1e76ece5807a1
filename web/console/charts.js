// Charts as SVG. Each is told in words or in a table beside it, so all of them are pictures.

import { count, element } from "../dom.js";
import { table } from "./parts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDEST = 640;
const NARROWEST = 300;
const ROW = 40;
const LETTERS = 14; // that a label has room for

/** rows: label, value, and what is written behind the bar. The longest bar is that of `most`. */
export function bars(label, rows, most = Math.max(...rows.map((one) => one.value))) {
  // As wide as it will be shown, so that its letters are as large as those around it.
  const width = Math.min(WIDEST, Math.max(NARROWEST, document.getElementById("main").clientWidth - 32));
  const [before, behind] = width < 480 ? [92, 128] : [120, 150];
  const room = width - before - behind;
  return picture(label, width, rows.length * ROW, rows.flatMap(({ label: name, value, text }, place) => {
    const long = most > 0 ? (room * value) / most : 0;
    const middle = place * ROW + ROW / 2;
    return [
      drawn("text", { x: before - 12, y: middle, class: "name" }, shortened(name)),
      drawn("rect", { x: before, y: place * ROW + 6, width: Math.max(long, value > 0 ? 2 : 0), height: ROW - 12, rx: 4, class: "extent" }),
      drawn("text", { x: before + long + 10, y: middle, class: "value" }, text),
    ];
  }));
}

/** A line through counts, of a table's cell. */
export function line(label, counts) {
  const [width, height] = [112, 28];
  const most = Math.max(1, ...counts);
  const points = counts.map((one, place) => `${((place * width) / (counts.length - 1)).toFixed(1)},${(height - 2 - ((height - 4) * one) / most).toFixed(1)}`);
  const made = picture(label, width, height, [drawn("polyline", { points: points.join(" "), class: "curve" })]);
  made.classList.add("spark");
  return made;
}

/** The figures of a chart, for whoever wants them exactly or cannot see it. */
export function figures(label, columns, rows) {
  return element("details", {}, element("summary", {}, "As a table"), table(label, columns, rows));
}

/** A table whose cells are the darker the greater their share. A row: its head, then `{ text, share, open }`; null: no cell yet. */
export function heat(label, columns, rows) {
  return element("div", { className: "wide heat", role: "region", "aria-label": label, tabIndex: 0 },
    element("table", {},
      element("thead", {}, element("tr", {}, columns.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, rows.map(([head, people, ...cells]) => element("tr", {},
        element("th", { scope: "row" }, head), element("td", {}, count(people)), cells.map(shaded))))));
}

function shaded({ text, share, open }) {
  const cell = element("td", { className: open ? "open" : "", title: open ? "This week is not over" : "" }, text);
  cell.style.setProperty("--share", share);
  return cell;
}

function shortened(name) {
  return name.length > LETTERS ? `${name.slice(0, LETTERS - 1)}…` : name;
}

function picture(label, width, height, parts) {
  const made = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "chart" });
  made.append(...parts);
  return made;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
