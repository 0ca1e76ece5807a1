// What just happened, told at the foot of the window, with a way back.

import { element, notice } from "./dom.js";

let shown = null;

/** Tells it aloud and on the page; `undo` takes it back. The focus moves to the way back. */
export function told(text, undo) {
  shown?.remove();
  const words = element("p", { role: "status" });
  const back = element("button", { type: "button" }, "Undo");
  const close = element("button", { type: "button", "aria-label": "Close this message" }, "Close");
  const toast = element("div", { className: "toast" }, words, back, close);
  shown = toast;
  close.onclick = () => toast.remove();
  back.onclick = async () => {
    back.disabled = true;
    try {
      await undo();
      words.textContent = "Undone.";
      back.remove();
      close.focus();
    } catch (error) {
      back.disabled = false;
      words.replaceChildren(notice(error));
    }
  };
  document.body.append(toast);
  // Written after the region is there, so that it is read out.
  words.textContent = text;
  back.focus();
}
