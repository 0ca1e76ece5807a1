// An item's page: what it is, what can be done with it, and what is near it.

import { call, record } from "./api.js";
import { categoryPath, row } from "./cards.js";
import { element, notice, page } from "./dom.js";
import { cart, rememberViewed, setCart } from "./memory.js";
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
  main.append(element("article", { className: "item" }, poster(item), about(item)));
  main.append(row("Similar", () => call("GET", `/v1/items/${encodeURIComponent(itemId)}/similar?n=18`)));
  rememberViewed(item);
  await record("view", itemId);
}

function about(item) {
  const price = priceOf(item);
  return element("div", {},
    element("h1", {}, item.title),
    element("ul", { className: "tags", "aria-label": "Categories" },
      item.categories.map((path) => element("li", {}, element("a", { href: categoryPath(path) }, path)))),
    price && element("p", { className: "price" }, price),
    item.description && element("p", {}, item.description),
    element("div", { className: "actions" }, cartButton(item), feeling(item, "like", "Like"), feeling(item, "dislike", "Not for me")),
    stars(item),
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
    setCart([...cart(), { item_id: item.item_id, title: item.title, categories: item.categories, picture_url: item.picture_url, price: item.price }]);
    name();
    await record("cart", item.item_id);
  };
  return button;
}

function feeling(item, type, label) {
  const button = element("button", { type: "button", "aria-pressed": "false" }, label);
  button.onclick = async () => {
    await record(type, item.item_id);
    button.setAttribute("aria-pressed", "true");
  };
  return button;
}

function stars(item) {
  const buttons = [1, 2, 3, 4, 5].map((value) =>
    element("button", { type: "button", "aria-pressed": "false", "aria-label": `${value} of 5`, onclick: () => rate(value) }, "★"));
  async function rate(value) {
    await record("rating", item.item_id, value);
    buttons.forEach((button, place) => button.setAttribute("aria-pressed", String(place < value)));
  }
  return element("fieldset", { className: "stars" }, element("legend", {}, "Your rating"), buttons);
}

function attributes(item) {
  const known = Object.entries({ ...item.attributes, ...item.text_attributes });
  if (known.length === 0) return null;
  return element("dl", { className: "facts" }, known.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
}
