// Categories, and what is found in them or by a query.

import { asVisitor, call, isKnown, session } from "./api.js";
import { categoryPath, grid } from "./cards.js";
import { count, element, page } from "./dom.js";
import { address, facets, filterOf } from "./facets.js";
import { marker } from "./refused.js";

const SORTS = {
  newest: "Newest", price: "Price, low to high", price_descending: "Price, high to low", title: "Title",
};
const PAGE = 48;

/** The tree of categories. */
export async function categoriesPage() {
  const main = page("Categories");
  const { categories } = await call("GET", "/v1/categories");
  main.append(element("h1", {}, "Categories"), element("ul", { className: "tree" }, categories.map(({ path, items }) => {
    const names = path.split(" > ");
    return element("li", { style: `--depth: ${names.length - 1}` },
      element("a", { href: categoryPath(path) }, names.at(-1)), element("span", {}, count(items)));
  })));
}

export async function categoryPage(path) {
  const main = page(path);
  main.append(element("h1", {}, path));
  await found(main, { category: path });
}

export async function searchPage() {
  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  const main = page(query ? `Search: ${query}` : "Search");
  main.append(element("h1", {}, query ? `“${query}”` : "All items"));
  await found(main, query ? { q: query } : {});
}

/** Facets beside a grid of what is found. The address holds what was chosen. */
async function found(main, asked) {
  const chosen = new URLSearchParams(location.search);
  const query = new URLSearchParams({ ...asked, n: PAGE, facets: true });
  if (chosen.get("sort")) query.set("sort", chosen.get("sort"));
  const filter = filterOf(chosen);
  if (filter) query.set("filter", JSON.stringify(filter));
  const mark = marker();
  const answer = await find(asked, query);
  const items = grid(answer.items);
  mark(items, answer.items);
  main.append(element("p", { role: "status" }, told(answer)), element("div", { className: "browse" },
    // On a phone what is found comes first.
    element("details", { className: "facets", open: matchMedia("(min-width: 48.01rem)").matches },
      element("summary", {}, "Order and filter"), sorting(chosen, asked), facets(answer.facets, chosen)),
    element("div", {}, items, rest(answer, chosen), more(answer, asked, query, (found) => {
      const cards = grid(found);
      mark(cards, found);
      items.append(...cards.children);
    }))));
}

/** Answers to a query come in the visitor's order, where somebody is here and no other is chosen. */
async function find(asked, query) {
  if (!asked.q) return call("GET", `/v1/items?${query}`);
  if (query.has("sort") || !isKnown()) return call("GET", `/v1/search?${query}`);
  const { user_id } = await session();
  return asVisitor("GET", `/v1/search?${query}&${new URLSearchParams({ user_id })}`);
}

function told({ match, corrected_query: corrected, total }) {
  if (total === 0) return "Nothing is like this. Try another word.";
  if (match === "nearest") return "No item has these words. These are nearest to what they mean:";
  const found = total >= 2_000 ? "2,000 items or more" : total === 1 ? "One item" : `${count(total)} items`;
  if (match === "corrected") return `${found} for “${corrected}”.`;
  if (match === "some_words") return `No item has all the words; ${found} have some.`;
  return found;
}

function sorting(chosen, asked) {
  const first = !asked.q ? { "": "Most popular" }
    : isKnown() ? { "": "Best for you", relevance: "Best answer" } : { "": "Best answer" };
  const select = element("select", { name: "sort" }, Object.entries({ ...first, ...SORTS }).map(([value, label]) =>
    element("option", { value, selected: value === (chosen.get("sort") ?? "") }, label)));
  select.onchange = () => go(chosen, "sort", select.value);
  return element("label", { className: "field" }, "Order", select);
}

/** The best of many answers are put in the visitor's order; the others are found by the words alone. */
function rest({ items, total, next_cursor: next, match }, chosen) {
  if (next || total <= items.length || match === "nearest") return null;
  return element("p", {}, element("a", { href: address(chosen, "sort", "relevance") }, `All ${count(total)}, by the words alone`));
}

function more(answer, asked, query, show) {
  if (!answer.next_cursor) return null;
  let cursor = answer.next_cursor;
  const button = element("button", { type: "button" }, "Show more");
  button.onclick = async () => {
    button.disabled = true;
    query.set("cursor", cursor);
    query.set("facets", false);
    const next = await find(asked, query);
    show(next.items);
    cursor = next.next_cursor;
    button.disabled = false;
    button.hidden = !cursor;
  };
  return element("p", {}, button);
}

function go(chosen, name, value) {
  location.assign(address(chosen, name, value));
}
