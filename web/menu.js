// What can be said of an item without opening its page.

import { element, notice } from "./dom.js";
import { notInterested, wantAgain } from "./feedback.js";
import { told } from "./told.js";

/** A button that asks what is not wanted: the item, or one of its categories. */
export function menuButton(item) {
  const button = element("button", {
    type: "button", className: "more", "aria-haspopup": "dialog", "aria-label": `Not interested? ${item.title}`,
  }, "⋯");
  button.onclick = () => ask(item);
  return button;
}

function ask(item) {
  const dialog = element("dialog", { className: "menu", "aria-labelledby": "menu-title" });
  const trouble = element("div");
  const choice = (label, what, news) => {
    const button = element("button", { type: "button" }, label);
    button.onclick = async () => {
      button.disabled = true;
      try {
        await notInterested(what);
        dialog.close();
        told(news, () => wantAgain(what));
      } catch (error) {
        button.disabled = false;
        trouble.replaceChildren(notice(error));
      }
    };
    return button;
  };
  dialog.append(
    element("h2", { id: "menu-title" }, item.title),
    choice("Not interested in this", { itemId: item.item_id }, `“${item.title}” is in no list of yours any more.`),
    ...(item.categories ?? []).map((category) =>
      choice(`Nothing of ${category}`, { category }, `Nothing of ${category} is in your lists any more.`)),
    trouble,
    element("button", { type: "button", onclick: () => dialog.close() }, "Cancel"));
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}
