// The first page: rows for this visitor, as of now.

import { call, recommendations } from "./api.js";
import { row } from "./cards.js";
import { element, page } from "./dom.js";
import { lastViewed } from "./memory.js";
import { showFreshness } from "./freshness.js";

const CATEGORY_ROWS = 4;

export async function home() {
  const main = page("For you");
  const viewed = lastViewed();
  main.append(element("h1", {}, "What would you like to see?"));
  main.append(row("For you", async () => {
    const list = await recommendations({ n: 24, diversity: 0.2, exclude: viewed ? [viewed.item_id] : [] });
    showFreshness(list);
    return { items: list.items, about: about(list) };
  }, "\u00a0"));
  if (viewed) {
    main.append(row(`Because you viewed ${viewed.title}`, () =>
      recommendations({ kind: "similar", items: [viewed.item_id], include_seen: true, n: 18 })));
  }
  main.append(row("Trending", () => recommendations({ kind: "trending", include_seen: true, n: 18 }), "What people like of late"));
  main.append(row("New", () => recommendations({ kind: "new", n: 18 }), "Added of late, in your order"));
  const { categories } = await call("GET", "/v1/categories");
  const biggest = categories.sort((one, other) => other.items - one.items).slice(0, CATEGORY_ROWS);
  for (const { path } of biggest) {
    main.append(row(path, () => recommendations({ n: 18, category: path }), "In your order"));
  }
  // The last: where nobody is near it goes, and nothing below it moves.
  main.append(row("Popular with people like you", popularWithNeighbours, "What people with a taste near yours touched last"));
}

/** What fills the list up is in other rows. */
async function popularWithNeighbours() {
  const { items } = await recommendations({ kind: "people_like_you", n: 18 });
  return { items: items.filter((item) => item.source === "people") };
}

function about(list) {
  if (list.not_personal_because === "personalisation_off") return "What people like of late: personal lists are turned off";
  const personal = list.items.some((item) => item.source === "retrieval");
  return personal ? "From what you looked at, your last click included" : "What people like of late, until you look at something";
}
