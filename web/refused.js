// On pages that show everything: what the visitor does not want is found, and marked.

import { isKnown } from "./api.js";
import { element } from "./dom.js";
import { unwanted } from "./feedback.js";

/** Asks what is not wanted. Returns what marks the cards of a grid once that is known. */
export function marker() {
  const said = isKnown() ? unwanted().catch(() => null) : null; // unmarked is better than nothing
  return async (grid, items) => {
    const cards = [...grid.children];
    const refused = await said;
    if (!refused) return;
    const ids = new Set(refused.items.map((one) => one.item_id));
    const paths = refused.categories.map((one) => one.category);
    items.forEach((item, place) => {
      if (ids.has(item.item_id) || item.categories.some((path) => paths.some((one) => isWithin(path, one)))) mark(cards[place]);
    });
  };
}

function isWithin(path, category) {
  return path === category || path.startsWith(`${category} > `);
}

function mark(card) {
  card.classList.add("refused");
  card.append(element("span", { className: "mark" }, "Not interested"));
}
