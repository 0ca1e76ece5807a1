// What people did, counted: how far they come, what rises and falls, who returns, who is worth most.

import { call } from "../api.js";
import { count, element, notice } from "../dom.js";
import { choice } from "../forms.js";
import { priceOf } from "../prices.js";
import { bars, figures, heat, line } from "./charts.js";
import { moment, table } from "./parts.js";
import { ask } from "./session.js";

const WINDOWS = { hour: "an hour", day: "a day", week: "a week" };
const SPLITS = { position: "position", source: "what found them", model_version: "model" };
const BARS = 20;
const STAGES = { view: "View", click: "Click", cart: "Cart", purchase: "Purchase" };
const SEGMENTS = {
  best: "lately and often", loyal: "often, of late less", promising: "lately, not often",
  cooling: "not often, of late less", at_risk: "often, long ago", lost: "not often, long ago",
};
const NAMES = Object.fromEntries(Object.keys(SEGMENTS).map((name) => [name, name.replace("_", " ")]));
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const oneDecimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, signDisplay: "exceptZero" });

export async function show(main) {
  const asOf = element("p", { className: "as-of" });
  const paths = element("datalist", { id: "category-paths" });
  const told = (answer, all = true) => { if (all) asOf.textContent = `Counted ${moment(answer.as_of)}. Days and weeks are those of UTC.`; };
  const parts = [
    part("How far people come", "A journey is what one person did with one item without a longer pause.",
      [category(), choice("window", "Longest pause", WINDOWS, "day"), day("since", "From"), day("until", "To")], funnel, told),
    part("What rises and falls", "A period beside the one before, strongest change first. Dislikes are left out.",
      [choice("by", "Of", { item: "items", category: "categories" }, "item"), choice("direction", "Which", { rising: "rise", falling: "fall" }, "rising"),
        choice("window", "Period", WINDOWS, "week"), category()], trends, told),
    part("What is chosen of what was shown", "Of items in lists, those that the person chose within half an hour. An event counts for the last list before it.",
      [choice("by", "By", SPLITS, "position"), day("since", "From"), day("until", "To")], clickThrough, (answer) => told(answer, false)),
    part("Who comes back", "People by the week of their first event, and how many of them were there again.",
      [day("since", "Weeks from"), day("until", "To")], retention, told),
    part("Who is worth most", "Fifths of people by their last event, number of events, and money spent.",
      [choice("currency", "Money", { "": "not counted" }, "")], segments, told),
  ];
  main.append(asOf, paths);
  // All at once: one after the other they would push each other down.
  await Promise.all(parts.map((one) => one.ready));
  main.append(...parts.map((one) => one.section));
  const { categories } = await call("GET", "/v1/categories");
  paths.append(...categories.map(({ path }) => element("option", { value: path })));
}

/**
 * A `section` that asks anew whenever one of its fields changes; `ready` once it shows something.
 * `draw` gets the values, and the form.
 */
function part(title, about, fields, draw, told) {
  const drawing = element("div", { "aria-live": "polite" });
  const asked = element("form", { className: "asked", "aria-label": title }, fields);
  let latest = 0;
  const refresh = async () => {
    const mine = ++latest;
    try {
      const values = [...new FormData(asked)].filter(([, value]) => value !== "");
      const { answer, shown } = await draw(new URLSearchParams(values), asked);
      if (mine !== latest) return; // a later question was asked meanwhile
      drawing.replaceChildren(...shown);
      told(answer);
    } catch (error) {
      if (mine === latest) drawing.replaceChildren(notice(error));
    }
  };
  asked.onchange = refresh;
  asked.onsubmit = (event) => event.preventDefault();
  const section = element("section", { "aria-label": title }, element("h2", {}, title), element("p", {}, about), asked, drawing);
  return { section, ready: refresh() };
}

function category() {
  const input = element("input", { name: "category", placeholder: "all", autocomplete: "off" });
  input.setAttribute("list", "category-paths");
  return element("label", { className: "field" }, "Category", input);
}

function day(name, label) {
  return element("label", { className: "field" }, label, element("input", { name, type: "date" }));
}

async function funnel(asked) {
  const answer = await ask("GET", `/v1/behaviour/funnel?${asked}`);
  if (answer.stages[0].journeys === 0) return { answer, shown: [nothing(`No journey began from ${answer.since} to ${answer.until}.`)] };
  const rows = answer.stages.map(({ stage, journeys, of_first }) =>
    ({ label: STAGES[stage], value: journeys, text: `${count(journeys)} · ${percents.format(of_first)}` }));
  const last = answer.stages.at(-1);
  const columns = ["Category", ...Object.values(STAGES), "Bought"];
  const below = answer.categories.map(({ category: path, stages }) =>
    [path, ...stages.map((one) => count(one.journeys)), percents.format(stages.at(-1).of_first ?? 0)]);
  return { answer, shown: [
    element("p", { className: "said" }, `From ${answer.since} to ${answer.until}, ${percents.format(last.of_first)} of ${count(answer.stages[0].journeys)} journeys end with a purchase.`),
    bars("Journeys that reach each stage", rows),
    figures("Stages", ["Stage", "Journeys", "Of all", "Of the stage before"], answer.stages.map((one) =>
      [STAGES[one.stage], count(one.journeys), percents.format(one.of_first), one.of_before === null ? "–" : percents.format(one.of_before)])),
    ...(below.length ? [element("h3", {}, "By category"), table("Funnels by category", columns, below)] : []),
  ] };
}

async function trends(asked) {
  const answer = await ask("GET", `/v1/behaviour/trends?${asked}`);
  const rising = asked.get("direction") === "rising";
  if (answer.trends.length === 0) return { answer, shown: [nothing(`Nothing ${rising ? "rises" : "falls"}.`)] };
  const rows = answer.trends.map(({ item_id, title, category: path, events, events_before, score, daily }) => [
    item_id === null ? path : element("a", { href: `/items/${encodeURIComponent(item_id)}` }, title || item_id),
    count(events), count(events_before), oneDecimal.format(score), line(`Of 28 days since ${answer.first_day}, the most is ${count(Math.max(...daily))} a day`, daily),
  ]);
  return { answer, shown: [table("Trends", ["What", "Now", "Before", "Strength", "28 days"], rows)] };
}

async function clickThrough(asked) {
  const answer = await ask("GET", `/v1/behaviour/click-through?${asked}`);
  if (answer.rows.length === 0) return { answer, shown: [nothing(`No list was counted from ${answer.since} to ${answer.until}. It takes 35 minutes until it is known what came of one.`)] };
  const rows = answer.rows.slice(0, BARS).map(({ name, shown, click_rate }) =>
    ({ label: name, value: click_rate, text: `${percents.format(click_rate)} of ${count(shown)}` }));
  return { answer, shown: [
    bars("Share of shown items that was chosen", rows),
    figures("Chosen of what was shown", [SPLITS[asked.get("by")], "Shown", "Chosen", "Bought", "Chosen, share", "Bought, share"], answer.rows.map((one) =>
      [one.name, count(one.shown), count(one.clicked), count(one.bought), percents.format(one.click_rate), percents.format(one.purchase_rate)])),
    element("p", { className: "said" }, `Lists that were served before ${moment(answer.as_of)}.`),
  ] };
}

async function retention(asked) {
  const answer = await ask("GET", `/v1/behaviour/retention?${asked}`);
  if (answer.cohorts.length === 0) return { answer, shown: [nothing(`Nobody was new from ${answer.since} to ${answer.until}.`)] };
  const weeks = Math.max(...answer.cohorts.map((one) => one.active.length));
  const rows = answer.cohorts.map(({ week, people, shares, complete }) =>
    [week, people, ...shares.map((share, place) => ({ text: percents.format(share), share, open: place >= complete }))]);
  return { answer, shown: [
    heat("People who come back, by week", ["Week of", "New", ...Array.from({ length: weeks }, (_, place) => `+${place}`)], rows),
    element("p", { className: "said" }, "Cells in italics are of the present week, which is not over."),
  ] };
}

async function segments(asked, form) {
  asked.set("n", "125");
  const answer = await ask("GET", `/v1/behaviour/segments?${asked}`);
  offer(form.elements.currency, answer.sales);
  const currency = asked.get("currency");
  const money = (units) => (units === null ? "–" : priceOf({ price: { amount: units, currency } }));
  if (answer.people === 0) return { answer, shown: [nothing("There is nobody yet.")] };
  const rows = Object.keys(SEGMENTS).map((name) => {
    const alike = answer.segments.filter((one) => one.name === name);
    const people = sum(alike, "people");
    return { label: NAMES[name], value: people, text: `${count(people)} · ${answer.money_known ? money(sum(alike, "amount")) : percents.format(people / answer.people)}` };
  });
  return { answer, shown: [
    element("p", { className: "said" }, sold(answer, currency)),
    bars("People by segment", rows),
    element("p", { className: "said" }, Object.entries(SEGMENTS).map(([name, about]) => `${NAMES[name]}: ${about}`).join("; "), "."),
    figures("Segments", ["Segment", "Recency", "Frequency", "Money", "People", "Share", "Events", "Spent"], answer.segments.map((one) =>
      [NAMES[one.name], one.recency, one.frequency, one.money ?? "–", count(one.people), percents.format(one.share), count(one.events), money(one.amount)])),
  ] };
}

/** What is known of money, in words. */
function sold({ sales, people, money_known: known }, currency) {
  const unpriced = sales.find((one) => one.currency === null)?.purchases ?? 0;
  const without = unpriced ? ` Purchases of items without a price: ${count(unpriced)}.` : "";
  if (known) {
    const { purchases, amount: units } = sales.find((one) => one.currency === currency);
    return `People: ${count(people)}, purchases: ${count(purchases)}, for ${priceOf({ price: { amount: units, currency } })} at present prices.${without}`;
  }
  const priced = sales.some((one) => one.currency !== null);
  return `By recency and frequency. ${priced ? "Choose a currency to see what they spent." : "Money is not known: nobody bought an item with a price."}${without}`;
}

/** The currencies in which something was sold. */
function offer(select, sales) {
  const known = new Set([...select.options].map((one) => one.value));
  for (const { currency } of sales) {
    if (currency !== null && !known.has(currency)) select.append(element("option", { value: currency }, currency));
  }
}

function nothing(text) {
  return element("p", { className: "notice" }, text);
}

function sum(rows, name) {
  return rows.reduce((total, one) => total + one[name], 0);
}
