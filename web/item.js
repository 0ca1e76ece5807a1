// An item's page: what it is, what can be done with it, and what is near it.

import { call, record, recommendations } from "./api.js";
import { categoryPath, row } from "./cards.js";
import { element, inWords, notice, page } from "./dom.js";
import { cart, lastViewed, rememberViewed, setCart } from "./memory.js";
import { opinionOf } from "./opinion.js";
import { poster } from "./posters.js";
import { priceOf } from "./prices.js";

export async function itemPage(itemId) {
  let item;
  try {
    item = await call("GET", `/v1/items/${encodeURIComponent(itemId)}`);
  } catch (error) {
    page("Not here").append(element("h1", {}, "This item is not here"), notice(error));
    return;
  }
  const main = page(item.title);
  const opinion = opinionOf(item);
  main.append(element("article", { className: "item" }, poster(item), about(item, opinion)));
  main.append(row("Similar", () => recommendations({ kind: "similar", items: [itemId], include_seen: true, n: 18 })));
  const before = lastViewed();
  if (before && before.item_id !== itemId) {
    main.append(row(`Because you viewed ${before.title}`, () =>
      recommendations({ kind: "similar", items: [before.item_id], exclude: [itemId], include_seen: true, n: 18 })));
  }
  rememberViewed(item);
  await record("view", itemId);
  await opinion.show();
}

function about(item, opinion) {
  const price = priceOf(item);
  return element("div", {},
    element("h1", {}, item.title),
    element("ul", { className: "tags", "aria-label": "Categories" },
      item.categories.map((path) => element("li", {}, element("a", { href: categoryPath(path) }, path)))),
    price && element("p", { className: "price" }, price),
    item.description && element("p", {}, item.description),
    element("div", { className: "actions" }, cartButton(item), opinion.buttons),
    opinion.stars,
    opinion.trouble,
    attributes(item),
  );
}

function cartButton(item) {
  const has = () => cart().some((one) => one.item_id === item.item_id);
  const available = item.availability !== "out_of_stock";
  const button = element("button", { className: "primary", type: "button", disabled: has() || !available });
  const name = () => { button.textContent = has() ? "In the cart" : available ? "Add to the cart" : "Not available"; };
  name();
  button.onclick = async () => {
    button.disabled = true;
    // The id of its purchase: however often, from wherever an order is sent, it counts once.
    const purchase = crypto.randomUUID();
    setCart([...cart(), { purchase, item_id: item.item_id, title: item.title, categories: item.categories, picture_url: item.picture_url, price: item.price }]);
    name();
    await record("cart", item.item_id);
  };
  return button;
}

function attributes(item) {
  const known = Object.entries({ ...item.attributes, ...item.text_attributes });
  if (known.length === 0) return null;
  return element("dl", { className: "facts" }, known.flatMap(([name, value]) => [element("dt", {}, inWords(name)), element("dd", {}, String(value))]));
}
