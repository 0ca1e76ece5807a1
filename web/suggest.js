// What the search box proposes while somebody types: a combobox with a list (ARIA 1.2).

import { call } from "./api.js";
import { itemPath } from "./cards.js";
import { element } from "./dom.js";

const PAUSE_MS = 120;
const SHOWN = 8;

/** Proposes items below `box` in `list`. Arrow keys choose, Enter goes there, Escape closes. */
export function suggest(box, list) {
  let waiting;
  let asked = 0;

  box.value = new URLSearchParams(location.search).get("q") ?? "";
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(propose, PAUSE_MS);
  });
  box.addEventListener("keydown", onKey);
  box.addEventListener("blur", () => setTimeout(close, PAUSE_MS));

  async function propose() {
    const query = box.value.trim();
    asked += 1;
    const mine = asked;
    if (!query) return close();
    const { suggestions } = await call("GET", `/v1/suggest?${new URLSearchParams({ q: query, n: SHOWN })}`);
    if (mine !== asked || document.activeElement !== box) return undefined; // overtaken
    list.replaceChildren(...suggestions.map(({ item_id: id, title }, place) =>
      element("li", { id: `suggestion-${place}`, role: "option", "aria-selected": "false", onmousedown: () => location.assign(itemPath(id)), "data-path": itemPath(id) }, title)));
    list.hidden = suggestions.length === 0;
    box.setAttribute("aria-expanded", String(!list.hidden));
    box.removeAttribute("aria-activedescendant");
    return undefined;
  }

  function onKey(event) {
    const options = [...list.children];
    const at = options.findIndex((option) => option.ariaSelected === "true");
    if (event.key === "Escape") close();
    if (list.hidden || options.length === 0) return;
    if (event.key === "ArrowDown") choose(options, (at + 1) % options.length);
    else if (event.key === "ArrowUp") choose(options, (at <= 0 ? options.length : at) - 1);
    else if (event.key === "Enter" && at >= 0) location.assign(options[at].dataset.path);
    else return;
    event.preventDefault();
  }

  function choose(options, place) {
    options.forEach((option, other) => option.setAttribute("aria-selected", String(other === place)));
    box.setAttribute("aria-activedescendant", options[place].id);
  }

  function close() {
    asked += 1;
    list.hidden = true;
    box.setAttribute("aria-expanded", "false");
  }
}
