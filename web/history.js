// What the visitor did, newest first; single entries can be removed.

import { itemPath } from "./cards.js";
import { element, notice, page } from "./dom.js";
import { history, removeEntry } from "./feedback.js";
import { poster } from "./posters.js";

const DONE = {
  view: "Looked at", click: "Chosen", cart: "Put into the cart", purchase: "Bought", like: "Liked",
  dislike: "Disliked", not_interested: "Not interested",
};
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export async function historyPage() {
  const main = page("History");
  const news = element("p", { className: "unseen", role: "status" });
  const lines = element("ul", { className: "lines" });
  const rest = element("p");
  const heading = element("h1", { tabIndex: -1 }, "History");
  main.append(heading,
    element("p", {}, "Your lists follow from this. Remove an entry, and the next list is made as if it had never been. ",
      element("a", { href: "/preferences" }, "What you don’t want to see")),
    news, lines, rest);
  const remove = async (entry, line, button) => {
    button.disabled = true;
    try {
      await removeEntry(entry.event_id);
    } catch (error) {
      button.disabled = false;
      line.append(notice(error));
      return;
    }
    const next = (line.nextElementSibling ?? line.previousElementSibling)?.querySelector("button") ?? heading;
    line.remove();
    next.focus();
    news.textContent = `Removed: ${entry.title}, ${inWords(entry)}.`;
    tellIfEmpty(lines, rest);
  };
  await more(lines, rest, remove);
  tellIfEmpty(lines, rest);
}

async function more(lines, rest, remove, cursor = "") {
  const { entries, next_cursor: next } = await history({ cursor });
  lines.append(...entries.map((entry) => line(entry, remove)));
  rest.replaceChildren();
  if (!next) return;
  const button = element("button", { type: "button" }, "Show more");
  button.onclick = async () => {
    button.disabled = true;
    const before = lines.lastElementChild;
    await more(lines, rest, remove, next);
    before?.nextElementSibling?.querySelector("a")?.focus();
  };
  rest.append(button);
}

function line(entry, remove) {
  const button = element("button", { type: "button", "aria-label": `Remove ${entry.title}, ${inWords(entry)}` }, "Remove");
  const made = element("li", {}, poster(entry),
    element("div", {}, element("a", { href: itemPath(entry.item_id) }, entry.title),
      element("div", { className: "quiet" }, `${inWords(entry)} · `, element("time", { dateTime: entry.occurred_at }, moments.format(new Date(entry.occurred_at))))),
    button);
  button.onclick = () => remove(entry, made, button);
  return made;
}

function inWords({ type, value }) {
  return type === "rating" ? `Rated ${value} of 5` : DONE[type];
}

function tellIfEmpty(lines, rest) {
  if (lines.children.length > 0 || rest.children.length > 0) return;
  rest.append("Nothing is in it. ", element("a", { href: "/" }, "Look around"), ".");
}
