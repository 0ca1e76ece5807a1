// What people do, as it happens. EventSource cannot send a token, so the stream is read by fetch.

import { contentOf } from "../api.js";
import { count, element, notice } from "../dom.js";
import { choice, field, form } from "../forms.js";
import { itemLink } from "./parts.js";
import { fetched } from "./session.js";

const TYPES = {
  "": "Everything", view: "Views", click: "Clicks", cart: "Into the cart", purchase: "Purchases", like: "Likes",
  dislike: "Dislikes", rating: "Ratings", retraction: "Taken back",
};
const SHOWN = 200;
const AGAIN_MS = 2_000;
const RATE_MS = 10_000;

export function show(main) {
  const asked = new URLSearchParams(location.search);
  const rows = element("tbody");
  const state = element("p", { role: "status" });
  const pause = element("button", { type: "button", "aria-pressed": "false" }, "Hold");
  const view = { rows, state, held: [], holding: false, times: [], dropped: 0 };
  pause.onclick = () => hold(view, pause);
  let stop = watch(view, asked);
  main.append(element("div", { className: "forms" }, form("Show", [
    element("div", { className: "beside" },
      field("user_id", "Person", { value: asked.get("user_id") ?? "", required: false, autocomplete: "off" }, "Empty: everybody."),
      choice("type", "What", TYPES, asked.get("type") ?? "")),
  ], (values) => {
    const given = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    history.replaceState(null, "", `?${given}`);
    stop.abort();
    rows.replaceChildren();
    Object.assign(view, { held: [], times: [], dropped: 0 });
    stop = watch(view, given);
  })), element("div", { className: "actions" }, pause, state),
  element("div", { className: "wide", role: "region", "aria-label": "Events", tabIndex: 0 }, element("table", {},
    element("thead", {}, element("tr", {}, ["At", "Person", "What", "Item", "Seen after"].map((name) => element("th", { scope: "col" }, name)))), rows)));
  setInterval(() => tell(view), 1_000);
}

/** Reads until it is stopped, again where the stream ends. Returns what stops it. */
function watch(view, given) {
  const stop = new AbortController();
  read(view, given, stop.signal);
  return stop;
}

async function read(view, given, signal) {
  while (!signal.aborted) {
    try {
      const answer = await fetched(`/v1/console/events?${given}`, { signal });
      if (!answer.ok) await contentOf(answer);
      view.trouble = null;
      for await (const [type, data] of messages(answer.body)) take(view, type, data);
    } catch (error) {
      if (signal.aborted) return;
      view.trouble = error;
    }
    await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
  }
}

/** Server-sent events, as [type, data]. */
async function* messages(body) {
  let rest = "";
  for await (const piece of pieces(body.pipeThrough(new TextDecoderStream()))) {
    const whole = (rest + piece).split("\n\n");
    rest = whole.pop();
    for (const message of whole) {
      const lines = message.split("\n");
      const named = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      if (named("event")) yield [named("event"), JSON.parse(named("data"))];
    }
  }
}

/** Not every browser iterates over streams. */
async function* pieces(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

function take(view, type, data) {
  if (type === "dropped") {
    view.dropped += data.dropped;
    return;
  }
  view.times.push(performance.now());
  const row = rowOf(data);
  if (view.holding) view.held.push(row);
  else put(view, [row]);
}

function put(view, rows) {
  view.rows.prepend(...rows.slice(-SHOWN).reverse());
  while (view.rows.children.length > SHOWN) view.rows.lastChild.remove();
}

function hold(view, button) {
  view.holding = !view.holding;
  button.setAttribute("aria-pressed", String(view.holding));
  button.textContent = view.holding ? "Go on" : "Hold";
  if (!view.holding) put(view, view.held.splice(0));
}

function rowOf(event) {
  const after = event.accepted_at ? `${Math.max(0, Date.now() - new Date(event.accepted_at))} ms` : "imported";
  const cells = [
    new Date(event.occurred_at).toLocaleTimeString(),
    element("a", { href: `/console/list?user_id=${encodeURIComponent(event.user_id)}` }, event.user_id),
    `${event.type}${event.value === null ? "" : ` ${event.value}`}`,
    event.item_id ? itemLink({ item_id: event.item_id, title: event.item_id }) : "–",
    after,
  ];
  return element("tr", {}, cells.map((cell) => element("td", {}, cell)));
}

function tell(view) {
  if (view.trouble) {
    view.state.replaceChildren(notice(view.trouble));
    return;
  }
  const now = performance.now();
  view.times = view.times.filter((at) => now - at < RATE_MS);
  const lost = view.dropped ? ` ${count(view.dropped)} were lost: this page is too slow for all of them.` : "";
  const waiting = view.holding ? ` ${count(view.held.length)} wait.` : "";
  const text = `${(view.times.length / (RATE_MS / 1000)).toFixed(1)} events a second.${waiting}${lost}`;
  if (view.state.textContent !== text) view.state.textContent = text;
}
