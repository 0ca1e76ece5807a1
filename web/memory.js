// What the browser remembers of this visit: the item viewed last, and the cart.

const VIEWED = "headrace.viewed";
const CART = "headrace.cart";

export function lastViewed() {
  return read(sessionStorage, VIEWED);
}

export function rememberViewed({ item_id, title }) {
  sessionStorage.setItem(VIEWED, JSON.stringify({ item_id, title }));
}

/** Items in the cart, in the order they came, each with the id that its purchase will have. */
export function cart() {
  return read(localStorage, CART) ?? [];
}

export function setCart(items) {
  localStorage.setItem(CART, JSON.stringify(items));
  dispatchEvent(new Event("cart"));
}

/** Forgets both. */
export function forgetBrowser() {
  sessionStorage.removeItem(VIEWED);
  setCart([]);
}

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key));
  } catch {
    return null;
  }
}
