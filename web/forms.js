// Forms that send and tell what came of it.

import { element, notice } from "./dom.js";

/** A form whose `send` gets the values by name, and the form; what it returns is told. `label` is
    that of its button. */
export function form(label, fields, send, title = label) {
  const told = element("div", { role: "status" });
  const button = element("button", { className: "primary" }, label);
  const made = element("form", { "aria-label": title }, element("h2", {}, title), fields, button, told);
  made.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const news = await send(Object.fromEntries(new FormData(made)), made);
      told.replaceChildren(news instanceof Node ? news : news ? element("p", {}, news) : "");
    } catch (error) {
      told.replaceChildren(notice(error));
    } finally {
      button.disabled = false;
    }
  };
  return made;
}

export function field(name, label, properties = {}, hint = "") {
  return element("label", { className: "field" }, label,
    element("input", { name, required: true, ...properties }), hint && element("small", {}, hint));
}

export function email() {
  return field("email", "E-mail", { type: "email", autocomplete: "email" });
}

export function password(autocomplete, name = "password", label = "Password") {
  const fresh = autocomplete === "new-password";
  return field(name, label, { type: "password", autocomplete, minLength: fresh ? 10 : 1 }, fresh ? "Ten characters or more." : "");
}

/** options: texts by value. */
export function choice(name, label, options, chosen) {
  return element("label", { className: "field" }, label, element("select", { name },
    Object.entries(options).map(([value, text]) => element("option", { value, selected: value === chosen }, text))));
}
