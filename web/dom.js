// Elements from data. Text is always set as text, so nothing that a shop or a person wrote is markup.

/** An element with properties, attributes (`aria-…`, `data-…`), listeners (`onclick`) and children. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key in made && !key.startsWith("aria")) made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** The page's main part, emptied, under a title. */
export function page(title) {
  document.title = `${title} · Headrace`;
  const main = document.getElementById("main");
  main.replaceChildren();
  main.removeAttribute("aria-busy");
  return main;
}

/** What went wrong, in words that help. */
export function notice(error) {
  const faults = error.problem?.errors ?? [];
  const text = error.problem
    // Of one fault the detail tells.
    ? [error.problem.detail, ...(faults.length > 1 ? faults.map((one) => `${one.field}: ${one.reason}`) : [])].join(" ")
    : "The shop cannot be reached. Is the connection up?";
  return element("p", { className: "notice bad", role: "alert" }, text);
}

const numbers = new Intl.NumberFormat();

export function count(number) {
  return numbers.format(number);
}

/** A name that may go over several lines, between its parts. */
export function breakable(name) {
  return name.split(/(?<=[/._-])/).flatMap((part) => [part, element("wbr")]);
}

/** The name of an attribute, `width_cm`, as `Width cm`. */
export function inWords(name) {
  const text = name.replaceAll("_", " ");
  return text[0].toUpperCase() + text.slice(1);
}
