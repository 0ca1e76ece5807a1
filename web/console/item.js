// What is known about an item: is it shown, how often, what is near; and where a pin would put it.

import { call } from "../api.js";
import { itemPath } from "../cards.js";
import { count, element, notice } from "../dom.js";
import { field, form } from "../forms.js";
import { bar, itemLink, moment, pairs, score, section, table } from "./parts.js";
import { ask } from "./session.js";

const VISIBILITY = { visible: "visible", deleted: "deleted", not_yet: "not yet published", expired: "expired" };
const WINDOWS = { hour: "Last hour", day: "Last day", week: "Last week" };

export async function show(main) {
  const asked = new URLSearchParams(location.search);
  const id = asked.get("id") ?? "";
  const told = element("div", { "aria-live": "polite" });
  main.append(element("div", { className: "forms" }, form("Find an item", [
    field("q", "Id, or words of its title", { value: asked.get("q") ?? id, autocomplete: "off", maxLength: 200 }),
  ], async ({ q }) => {
    history.replaceState(null, "", `?${new URLSearchParams({ q })}`);
    told.replaceChildren(await found(q));
  })), told);
  if (id) told.replaceChildren(...await tell(id));
  else if (asked.get("q")) told.replaceChildren(await found(asked.get("q")));
}

async function tell(id) {
  try {
    return about(await ask("GET", `/v1/inspect/items/${encodeURIComponent(id)}`));
  } catch (error) {
    return [notice(error)];
  }
}

/** Items that have the words; hidden ones can be found by their id alone. */
async function found(q) {
  const { items } = await call("GET", `/v1/search?${new URLSearchParams({ q, n: 20 })}`);
  const rows = items.map((one) => [itemLink(one), element("code", {}, one.item_id)]);
  rows.push([itemLink({ item_id: q, title: "The item with this id" }), element("code", {}, q)]);
  return section("Found", table("Found", ["Item", "Id"], rows));
}

function about({ state, item, in_lists, similar, windows }) {
  const most = Math.max(1, ...windows.map((one) => one.impressions));
  return [
    section(state.title, pairs([
      ["Id", element("code", {}, state.item_id)],
      ["In the catalogue", `${VISIBILITY[state.visibility]}, revision ${count(state.revision)} of ${moment(state.updated_at)}`],
      ["In lists", in_lists ? "yes" : "no: the ranker does not have it, or may not show it"],
      ...(item ? facts(item) : []),
    ])),
    section("Shown and chosen", table("Windows", ["Window", "Shown", "Chosen"], windows.map((one) => [
      WINDOWS[one.window], element("span", { className: "number" }, count(one.impressions), bar(one.impressions / most)), count(one.events),
    ])), element("p", { className: "hint" }, "Shown: places in lists, by hours that began within the window. Chosen: events of every kind but dislikes.")),
    in_lists ? pinning(state) : null,
    section("Nearest items", similar.length ? table("Nearest", ["Item", "Categories", "Cosine"], similar.map((one) => [
      itemLink(one), one.categories.join(", "), score(one.score),
    ])) : element("p", {}, "None.")),
  ].filter(Boolean);
}

function facts(item) {
  const own = { ...item.attributes, ...item.text_attributes };
  return [
    ["Categories", item.categories.join(", ") || "–"],
    ["Tags", item.tags.join(", ") || "–"],
    ["Availability", item.availability.replaceAll("_", " ")],
    ...Object.entries(own).map(([name, value]) => [name, String(value)]),
    ["In the shop", element("a", { href: itemPath(item.item_id) }, "its page")],
  ];
}

function pinning({ item_id }) {
  const list = element("div");
  const made = form("Try a pin", [
    element("div", { className: "beside" },
      field("category", "List of the category", { required: false, autocomplete: "off" }, "Empty: of all."),
      field("position", "Place", { type: "number", min: 1, max: 200, value: 1 })),
  ], async ({ category, position }) => {
    const pin = [{ item_id, position: Number(position) }];
    const body = { n: Math.max(8, Number(position)), pin, ...(category ? { category } : {}) };
    const answer = await ask("POST", "/v1/inspect/recommendations", body);
    list.replaceChildren(
      element("ol", { className: "places", "aria-label": "The list with the pin" }, answer.list.items.map((one) =>
        element("li", {}, element("span", {}, itemLink(one), element("small", {}, one.categories.join(", "))),
          one.source === "pinned" ? element("span", { className: "mark up" }, "pinned") : null))),
      element("p", {}, "In the request of the shop's page:"),
      element("pre", { tabIndex: 0 }, JSON.stringify({ pin }, null, 1)));
  });
  return section("Pin it", element("div", { className: "forms" }, made, list));
}
