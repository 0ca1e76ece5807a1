// What the visitor does not want to see, and how to see it again.

import { call } from "./api.js";
import { categoryPath, itemPath } from "./cards.js";
import { element, notice, page } from "./dom.js";
import { notInterested, personal, unwanted, wantAgain } from "./feedback.js";
import { choice, form } from "./forms.js";
import { poster } from "./posters.js";

export async function preferencesPage() {
  const main = page("Preferences");
  const [said, { categories }, heard] = await Promise.all([unwanted(), call("GET", "/v1/categories"), personal()]);
  const news = element("p", { className: "unseen", role: "status" });
  const heading = element("h1", { tabIndex: -1 }, "What you don’t want to see");
  const lines = element("ul", { className: "lines" });
  const empty = element("p", {}, "Nothing is left out of your lists. Say so with ⋯ on an item, or here:");
  const tellIfEmpty = () => { empty.hidden = lines.children.length > 0; };
  const again = async (what, name, line, button) => {
    button.disabled = true;
    try {
      await wantAgain(what);
    } catch (error) {
      button.disabled = false;
      line.append(notice(error));
      return;
    }
    const next = (line.nextElementSibling ?? line.previousElementSibling)?.querySelector("button") ?? heading;
    line.remove();
    next.focus();
    said.categories = said.categories.filter((one) => one.category !== what.category);
    news.textContent = `${name} may be in your lists again.`;
    tellIfEmpty();
  };
  const put = (what, name, ...shown) => {
    const button = element("button", { type: "button", "aria-label": `Show ${name} again` }, "Show again");
    const line = element("li", {}, shown, button);
    button.onclick = () => again(what, name, line, button);
    lines.append(line);
  };
  const putCategory = (category) => put({ category }, category, element("span", { className: "whole", "aria-hidden": "true" }, "⊘"),
    element("div", {}, element("a", { href: categoryPath(category) }, category), element("div", { className: "quiet" }, "The whole category")));
  said.categories.forEach(({ category }) => putCategory(category));
  said.items.forEach((item) => put({ itemId: item.item_id }, item.title, poster(item),
    element("div", {}, element("a", { href: itemPath(item.item_id) }, item.title), element("div", { className: "quiet" }, item.categories.join(", ")))));
  tellIfEmpty();
  const options = Object.fromEntries(categories.map(({ path }) => [path, path]));
  const more = form("Leave a category out", [choice("category", "Category", options, "")], async ({ category }) => {
    await notInterested({ category });
    if (!said.categories.some((one) => one.category === category)) putCategory(category);
    said.categories.push({ category });
    tellIfEmpty();
    return `Nothing of ${category} is in your lists any more.`;
  });
  main.append(...[heading,
    element("p", {}, "It is in no list of yours until you want it again; search and categories find it all the same. ",
      element("a", { href: "/history" }, "What you did")),
    heard ? null : element("p", { className: "notice" }, "Your lists are not personal, as you asked: they are those of everybody, without this."),
    news, empty, lines, element("div", { className: "forms one" }, more)].filter(Boolean));
}
