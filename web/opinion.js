// What the visitor thinks of an item: like, dislike, stars, not interested. Pressed again, it is taken back.

import { record } from "./api.js";
import { element, notice } from "./dom.js";
import { history, notInterested, removeEntry, wantAgain } from "./feedback.js";

const EITHER = { like: "dislike", dislike: "like" };
const LATEST = 100;

/** `buttons` for a row of actions, `stars`, and `show`, which presses what was said before. */
export function opinionOf(item) {
  const said = {};
  const trouble = element("div");
  const buttons = { like: button("Like"), dislike: button("Dislike"), not_interested: button("Not interested") };
  const stars = [1, 2, 3, 4, 5].map((value) => element("button", { type: "button", "aria-pressed": "false", "aria-label": `${value} of 5` }, "★"));
  const all = [...Object.values(buttons), ...stars];

  function press() {
    for (const [type, one] of Object.entries(buttons)) one.setAttribute("aria-pressed", String(type in said));
    stars.forEach((star, place) => star.setAttribute("aria-pressed", String(place < (said.rating?.value ?? 0))));
  }

  async function forget(type) {
    if (!(type in said)) return;
    await (type === "not_interested" ? wantAgain({ itemId: item.item_id }) : removeEntry(said[type].eventId));
    delete said[type];
  }

  async function say(type, value) {
    if (type === "not_interested") {
      await notInterested({ itemId: item.item_id });
      said[type] = {};
    } else {
      said[type] = { eventId: await record(type, item.item_id, { value }), value };
    }
  }

  /** One after the other, so that what is pressed is what was said. */
  async function change(type, value) {
    all.forEach((one) => { one.disabled = true; });
    const again = type in said && said[type].value === value;
    try {
      await forget(type);
      await forget(EITHER[type]);
      if (!again) await say(type, value);
      trouble.replaceChildren();
    } catch (error) {
      trouble.replaceChildren(notice(error));
    } finally {
      press();
      all.forEach((one) => { one.disabled = false; });
      (type === "rating" ? stars[value - 1] : buttons[type]).focus();
    }
  }

  for (const [type, one] of Object.entries(buttons)) one.onclick = () => change(type);
  stars.forEach((star, place) => { star.onclick = () => change("rating", place + 1); });

  async function show() {
    const { entries } = await history({ limit: LATEST });
    for (const entry of entries.filter((one) => one.item_id === item.item_id)) {
      const known = entry.type in buttons || entry.type === "rating";
      if (known && !(entry.type in said)) said[entry.type] = { eventId: entry.event_id, value: entry.value ?? undefined };
    }
    press();
  }

  return {
    buttons: Object.values(buttons),
    stars: element("fieldset", { className: "stars" }, element("legend", {}, "Your rating"), stars),
    trouble,
    show,
  };
}

function button(label) {
  return element("button", { type: "button", "aria-pressed": "false" }, label);
}
