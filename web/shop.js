// Starts the page that the address names.

import { accountPage } from "./account.js";
import { cartPage } from "./cart.js";
import { categoriesPage, categoryPage, searchPage } from "./browse.js";
import { element, notice, page } from "./dom.js";
import { historyPage } from "./history.js";
import { home } from "./home.js";
import { itemPage } from "./item.js";
import { cart } from "./memory.js";
import { preferencesPage } from "./preferences.js";
import { privacyPage } from "./privacy.js";
import { receiptPage } from "./receipt.js";
import { suggest } from "./suggest.js";

const PAGES = [
  [/^\/$/, home],
  [/^\/items\/([^/]+)$/, itemPage],
  [/^\/categories$/, categoriesPage],
  [/^\/categories\/([^/]+)$/, categoryPage],
  [/^\/search$/, searchPage],
  [/^\/cart$/, cartPage],
  [/^\/history$/, historyPage],
  [/^\/preferences$/, preferencesPage],
  [/^\/account\/privacy$/, privacyPage],
  [/^\/account\/receipt$/, receiptPage],
  [/^\/account(?:\/([^/]+))?$/, accountPage],
];

async function start() {
  suggest(document.getElementById("q"), document.getElementById("suggestions"));
  showCart();
  addEventListener("cart", showCart);
  addEventListener("storage", showCart); // of another window
  for (const [pattern, show] of PAGES) {
    const found = pattern.exec(location.pathname);
    if (found) return show(...found.slice(1).map((part) => part && decodeURIComponent(part)));
  }
  page("Not here").append(element("h1", {}, "There is no such page"), element("p", {}, element("a", { href: "/" }, "To the shop"), "."));
  return undefined;
}

function showCart() {
  const badge = document.getElementById("in-cart");
  badge.textContent = cart().length;
  badge.hidden = cart().length === 0;
}

start().catch((error) => {
  document.getElementById("main").append(notice(error));
  throw error;
});
