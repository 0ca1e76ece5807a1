// The cart and a demo checkout: what is bought is told to the recommender, and nothing is charged.

import { asVisitor, recommendations, session } from "./api.js";
import { itemPath, row } from "./cards.js";
import { element, notice, page } from "./dom.js";
import { cart, setCart } from "./memory.js";
import { poster } from "./posters.js";
import { priceOf, totalOf } from "./prices.js";

export function cartPage() {
  const main = page("Cart");
  main.append(element("h1", {}, "Cart"));
  const items = cart();
  if (items.length === 0) {
    main.append(element("p", {}, "Nothing is in it yet. ", element("a", { href: "/" }, "Look around"), "."));
    return;
  }
  main.append(element("ul", { className: "lines" }, items.map(line)));
  const total = totalOf(items);
  if (total) main.append(element("p", { className: "price" }, `Together ${total}`));
  main.append(buyButton(items, main));
  main.append(row("Goes with these", () =>
    recommendations({ session: items.map((item) => item.item_id), n: 18 })));
}

function line(item) {
  const remove = element("button", { type: "button", "aria-label": `Take out ${item.title}` }, "Take out");
  remove.onclick = () => {
    setCart(cart().filter((one) => one.item_id !== item.item_id));
    cartPage();
  };
  return element("li", {}, poster(item),
    element("div", {}, element("a", { href: itemPath(item.item_id) }, item.title), element("div", {}, priceOf(item))),
    remove);
}

function buyButton(items, main) {
  const button = element("button", { type: "button", className: "primary" }, "Buy (demo: nothing is charged)");
  button.onclick = async () => {
    button.disabled = true;
    const { user_id } = await session();
    try {
      await asVisitor("POST", "/v1/events", {
        events: items.map((item) => ({ event_id: item.purchase, user_id, item_id: item.item_id, type: "purchase" })),
      });
    } catch (error) {
      button.disabled = false;
      main.append(notice(error));
      return;
    }
    setCart([]);
    page("Thank you").append(
      element("h1", {}, "Thank you"),
      element("p", {}, "What you bought does not appear in your lists any more. ", element("a", { href: "/" }, "Back to the shop"), "."));
  };
  return button;
}
