// Items as cards, and rows of them.

import { element } from "./dom.js";
import { menuButton } from "./menu.js";
import { poster } from "./posters.js";

const PLACES = 12;

/** A card that leads to the item's page. */
export function card(item) {
  return element("li", { className: "card" },
    poster(item),
    element("a", { className: "title", href: itemPath(item.item_id) }, item.title),
    element("small", {}, (item.categories ?? []).join(", ") || " "),
  );
}

/** A card of a list that is made for the visitor: they can say what they do not want in it. */
function ownCard(item) {
  const made = card(item);
  made.append(menuButton(item));
  return made;
}

export function itemPath(itemId) {
  return `/items/${encodeURIComponent(itemId)}`;
}

/** The page of a category, a path such as `Home > Kitchen`. */
export function categoryPath(path) {
  return `/categories/${encodeURIComponent(path)}`;
}

/** Cards in a grid. */
export function grid(items) {
  return element("ul", { className: "cards" }, items.map(card));
}

/**
 * A row that shows places until `load` has its items, so that nothing jumps. It is left out where
 * there are none, and loaded again when the visitor has said something. Returns the row;
 * `row.refill()` loads it again.
 */
export function row(title, load, about = "") {
  const told = element("p", {}, about);
  const cards = element("ul", { className: "cards strip waiting", tabIndex: 0, "aria-label": title }, places());
  const section = element("section", { className: "row", "aria-label": title },
    element("header", {}, element("h2", {}, title), told), cards);
  section.refill = async () => {
    try {
      const { items, about: news } = await load();
      if (news) told.textContent = news;
      section.hidden = items.length === 0;
      cards.replaceChildren(...items.map(ownCard));
    } catch (error) {
      if (!error.problem) throw error;
      section.hidden = true;
    } finally {
      cards.classList.remove("waiting");
    }
  };
  addEventListener("feedback", section.refill);
  section.refill();
  return section;
}

function places() {
  return Array.from({ length: PLACES }, () =>
    element("li", { className: "card", "aria-hidden": "true" },
      element("div", { className: "poster" }), element("span", { className: "title" }), element("small", {}, " ")));
}
