// What found items have in common: links and ranges that narrow, kept in the address.

import { count, element, inWords } from "./dom.js";
import { priceOf } from "./prices.js";

const SHOWN = 12;
const RANGES = 4;
const NUMBERS = /^(-?[\d.]*):(-?[\d.]*)$/;
const AVAILABILITY = {
  in_stock: "In stock", out_of_stock: "Out of stock", preorder: "To order ahead", backorder: "Comes later",
};
/** What a parameter of the address stands for: how it is called, and as the API's filter has it.
    Null: nothing. */
const KINDS = {
  in: (path) => ({ label: path, condition: { category: { one_of: [path] } } }),
  tag: (tag) => ({ label: tag, condition: { tag: { one_of: [tag] } } }),
  availability: (kind) => ({ label: AVAILABILITY[kind] ?? kind, condition: { availability: { one_of: [kind] } } }),
  price: (range) => {
    const [, currency, min, max] = /^([A-Z]{3}):(\d+):(\d+)$/.exec(range) ?? [];
    return currency && { label: prices(currency, min, max), condition: { price: { currency, gte: Number(min), lte: Number(max) } } };
  },
  text: (value, name) => ({ label: `${inWords(name)}: ${value}`, condition: { text: { name, one_of: [value] } } }),
  number: (range, name) => {
    const [, least, most] = NUMBERS.exec(range) ?? [];
    return (least || most) && {
      label: `${inWords(name)}: ${[least && `from ${least}`, most && `to ${most}`].filter(Boolean).join(" ")}`,
      condition: { number: { name, ...(least && { gte: Number(least) }), ...(most && { lte: Number(most) }) } },
    };
  },
};

/** What was chosen, in the API's filter language; null: nothing. */
export function filterOf(chosen) {
  const all = known(chosen).map(({ condition }) => condition);
  return all.length > 0 ? { all } : null;
}

/** What is chosen, with a way back, and what can be. */
export function facets(given, chosen) {
  const narrowed = known(chosen).map(({ key, label }) => ({ key, value: "", label, name: `Not only ${label}` }));
  // What all have narrows nothing.
  const open = (name, choices) => group(name, choices.filter(({ items }) => items < given.counted), chosen);
  return [
    group("Chosen", narrowed, chosen),
    open("Category", values("in", given.categories)),
    open("Tag", values("tag", given.tags)),
    ...given.prices.map(({ currency, ranges }) => open(`Price, ${currency}`, ranges.map(({ min, max, count: items }) =>
      ({ key: "price", value: `${currency}:${min}:${max}`, label: prices(currency, min, max), items })))),
    open("Availability", values("availability", given.availability)),
    ...given.texts.map(({ name, values: found }) => open(inWords(name), values(`text.${name}`, found))),
    ...given.numbers.filter(({ min, max }) => min < max).slice(0, RANGES).map((one) => range(one, chosen)),
  ].filter(Boolean);
}

/** The address where `key` is chosen to be `value`; empty: not any more. */
export function address(chosen, key, value) {
  const changed = new URLSearchParams(chosen);
  if (value) changed.set(key, value);
  else changed.delete(key);
  return `${location.pathname}?${changed}`;
}

function known(chosen) {
  return [...chosen].flatMap(([key, value]) => {
    const [kind, ...name] = key.split(".");
    const meant = value && Object.hasOwn(KINDS, kind) && KINDS[kind](value, name.join("."));
    return meant ? [{ key, ...meant }] : [];
  });
}

function values(key, found) {
  return found.map(({ value, count: items }) => ({ key, value, items, label: key === "availability" ? AVAILABILITY[value] ?? value : value }));
}

function group(name, choices, chosen) {
  if (choices.length === 0) return null;
  return element("fieldset", {}, element("legend", {}, name), element("ul", {}, choices.slice(0, SHOWN).map(({ key, value, label, name: called, items }) =>
    element("li", {}, element("a", { href: address(chosen, key, value), "aria-label": called }, label, called && element("span", { "aria-hidden": "true" }, " ✕")),
      items === undefined ? null : element("span", {}, count(items))))));
}

function range({ name, min, max }, chosen) {
  const key = `number.${name}`;
  const [, least, most] = NUMBERS.exec(chosen.get(key) ?? ":") ?? [];
  const bound = (label, value, hint) => element("label", {}, label,
    element("input", { type: "number", step: "any", value, placeholder: hint, min, max }));
  const [from, to] = [bound("From", least, min), bound("To", most, max)];
  const form = element("form", { className: "range", noValidate: true }, from, to, element("button", { type: "submit" }, "Apply"));
  form.onsubmit = (event) => {
    event.preventDefault();
    const [low, high] = [from, to].map((one) => one.querySelector("input").value);
    location.assign(address(chosen, key, low || high ? `${low}:${high}` : ""));
  };
  return element("fieldset", {}, element("legend", {}, inWords(name)), form);
}

function prices(currency, min, max) {
  const [low, high] = [min, max].map((amount) => priceOf({ price: { amount: Number(amount), currency } }));
  return low === high ? low : `${low} – ${high}`;
}
