// What a person's list looks like, and why: whose it is, what found it, what each step did.

import { count, element, notice } from "../dom.js";
import { choice, field, form } from "../forms.js";
import { bar, itemLink, json, moment, named, pairs, score, section, table } from "./parts.js";
import { ask } from "./session.js";

const KINDS = {
  for_you: "For you", new: "New", trending: "Trending", people_like_you: "People like you", similar: "Similar to items",
};
const STEPS = {
  hidden: "Deleted, not yet published, or expired", category: "Outside of the category", filter: "Did not pass the filter",
  seen: "The person is done with it", not_interested: "The person does not want it", exclude: "Excluded, or of the visit", shown: "On a page before",
  vanished: "Hidden while the list was made", pin: "Pinned", max_per_category: "Its category had its places",
  diversity: "Too like what is above", explore: "Drawn over",
};
const LEFT_OUT_FIRST = 8;

export async function show(main) {
  const asked = new URLSearchParams(location.search);
  const told = element("div", { "aria-live": "polite" });
  const more = element("textarea", { name: "more", rows: 4, spellcheck: false, placeholder: '{"filter": …, "boost": […], "pin": […]}' });
  more.value = asked.get("more") ?? "";
  const made = form("Look into it", [
    element("div", { className: "beside" },
      field("user_id", "Person", { value: asked.get("user_id") ?? "", required: false, autocomplete: "off" }, "Empty: nobody in particular."),
      choice("kind", "Kind", KINDS, asked.get("kind") ?? "for_you"),
      field("n", "Length", { type: "number", min: 1, max: 200, value: asked.get("n") ?? "12" })),
    element("label", { className: "field" }, "Anything else of the request, as JSON", more),
  ], async (values) => {
    history.replaceState(null, "", `?${new URLSearchParams(values)}`);
    const began = performance.now();
    const answer = await ask("POST", "/v1/inspect/recommendations", requestOf(values));
    told.replaceChildren(...explained(answer));
    return `Made and explained in ${Math.round(performance.now() - began)} ms.`;
  });
  main.append(element("p", {}, "Made by the computation that makes it in the shop. Nothing is logged as shown."),
    element("div", { className: "forms" }, made), told);
  if (asked.has("user_id")) made.requestSubmit();
}

/** The body of a request from the values of the form. Throws Refused where `more` is no JSON. */
function requestOf({ user_id, kind, n, more }) {
  return { ...(user_id ? { user_id } : {}), ...(kind === "for_you" ? {} : { kind }), n: Number(n), ...(more.trim() ? json(more) : {}) };
}

/** The answer of /v1/inspect/recommendations as sections. */
export function explained({ list, inspection, events, interests }) {
  return [
    list.degraded ? notice({ problem: { detail: `The list is degraded: ${list.degraded}.` } }) : null,
    interests.length ? element("p", { className: "notice" }, `Nothing is known from their own events: the interests ${interests.join(", ")} made the list.`) : null,
    section("The list", candidates(inspection)),
    section("What each step did", steps(inspection)),
    section("What found it", sources(inspection)),
    section("The person", person(list, inspection.person)),
    section("What they did of late", past(events)),
  ].filter(Boolean);
}

function candidates({ candidates: all, found }) {
  const inOrder = [...all].sort((one, other) => (one.place || Infinity) - (other.place || Infinity));
  const boosted = all.some((one) => one.boosted_score !== null);
  const columns = ["Place", "Item", "Found by", "Nearest", "Head", ...(boosted ? ["Boosted"] : []), "Left out by"];
  const rows = inOrder.map((one) => [
    one.place ? element("strong", {}, one.place, " ", movement(one)) : "–",
    element("span", {}, itemLink(one.item), element("small", {}, one.categories.join(", "))),
    one.source,
    one.retrieval_rank ? ranked(one.retrieval_rank, one.retrieval_score) : "–",
    ranked(one.rank, one.score),
    ...(boosted ? [one.boosted_score === null ? "–" : ranked(one.boosted_rank, one.boosted_score)] : []),
    one.left_out.map((name) => (name === "rank" ? "others are better" : name.replaceAll("_", " "))).join(", "),
  ]);
  const first = all.filter((one) => one.place).length + LEFT_OUT_FIRST;
  const holder = element("div", { className: "longer" }, table("Candidates", columns, rows.slice(0, first)));
  if (rows.length > first) {
    holder.append(element("button", { type: "button", onclick: () => holder.replaceChildren(table("Candidates", columns, rows)) },
      `Show ${count(rows.length)} of ${count(found)} candidates`));
  }
  return holder;
}

/** From the place that the head gave it. */
function movement({ place, rank }) {
  const by = rank - place;
  if (by === 0) return null;
  const words = by > 0 ? `up ${by}` : `down ${-by}`;
  return element("small", { className: by > 0 ? "up" : "down", title: `${words} from the head's order` }, by > 0 ? `▲${by}` : `▼${-by}`);
}

function ranked(rank, value) {
  return element("span", { className: "number" }, `${rank}.`, element("small", {}, score(value)));
}

function steps({ steps: all }) {
  const most = Math.max(1, ...all.slice(0, 1).map((one) => one.kept + one.removed));
  return table("Steps", ["Step", "Left", "Took", "Moved", "Would have come first"], all.map((one) => [
    element("span", {}, STEPS[one.name] ?? `Boost ${Number(/\d+/.exec(one.name)?.[0]) + 1}`, element("small", {}, element("code", {}, one.name))),
    element("span", { className: "number" }, count(one.kept), bar(one.kept / most)),
    one.removed ? count(one.removed) : "–", one.moved ? count(one.moved) : "–", named(one.examples),
  ]));
}

function sources({ sources: all, found }) {
  if (found === 0) return element("p", {}, "Nothing.");
  return table("Sources", ["Source", "Candidates", "In the list"], all.map((one) => [
    one.source, element("span", { className: "number" }, count(one.found), bar(one.found / found)), count(one.shown),
  ]));
}

function person(list, known) {
  const facts = [["Model", list.model_version], ["List as of", moment(list.as_of)]];
  if (known === null) return pairs([...facts, ["Person", "nobody in particular, or their vector could not be had"]]);
  return pairs([...facts,
    ["Vector", known.has_vector ? `after event ${count(known.n)}, epoch ${known.epoch}` : "none yet: nothing was done"],
    ["Last event in it", known.last_occurred_at ? moment(known.last_occurred_at) : "–"],
    ["Done with", `${count(known.seen)} items`],
    ["Touched last", known.recent.length ? named(known.recent.slice(0, 10)) : "nothing"]]);
}

function past(events) {
  if (events.length === 0) return element("p", {}, "Nothing is known.");
  return table("Events", ["When", "What", "Item"], events.map((one) => [
    moment(one.occurred_at),
    `${one.type}${one.value === null ? "" : ` ${one.value}`}`,
    itemLink(one),
  ]));
}
