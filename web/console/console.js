// Starts the console: who is there, what they may see, and the page that the address names.

import { element, notice, page } from "../dom.js";
import { email, form, password } from "../forms.js";
import { pagesOf } from "./pages.js";
import { logIn, logOut, signedIn } from "./session.js";

async function start() {
  const session = signedIn();
  if (session === null) return logInPage();
  showWho(session);
  const seen = pagesOf(session.role);
  if (seen.length === 0) return nothingToSee(session);
  const here = location.pathname === "/console" ? seen[0] : seen.find((one) => one.path === location.pathname);
  showPages(seen, here);
  if (here === undefined) {
    page("Not here").append(element("h1", {}, "Not here"), element("p", {}, `There is no such page for a ${session.role}.`));
    return undefined;
  }
  const { show } = await here.load();
  const main = page(`${here.title} · Console`);
  main.append(element("h1", {}, here.title));
  return show(main);
}

function logInPage() {
  const main = page("Log in · Console");
  main.append(element("h1", {}, "Log in"),
    element("p", {}, "With an account that is an operator or a merchandiser."),
    element("div", { className: "forms" }, form("Log in", [email(), password("current-password")], async (values) => {
      await logIn(values);
      location.reload();
    })));
}

function nothingToSee({ email: address }) {
  page("Console").append(element("h1", {}, "Nothing to see yet"),
    element("p", {}, "This account is a shopper. Somebody with a key of scope admin lets it in:"),
    element("pre", { tabIndex: 0 }, `HEADRACE_API_KEY=… headrace keys role ${address} operator`),
    element("p", {}, "Then log out and in again."));
}

function showWho({ email: address, role }) {
  const out = element("button", { type: "button" }, "Log out");
  out.onclick = async () => {
    await logOut();
    location.assign("/console");
  };
  document.getElementById("who").append(element("span", {}, `${address}, ${role}`), out);
}

function showPages(seen, here) {
  const pages = document.getElementById("pages");
  pages.append(element("ul", {}, seen.map((one) =>
    element("li", {}, element("a", { href: one.path, "aria-current": one === here ? "page" : undefined }, one.title)))));
  const present = pages.querySelector("[aria-current]");
  if (present) pages.scrollLeft = present.offsetLeft - pages.offsetLeft - 16; // on a phone they are wider than the page
}

start().catch((error) => {
  document.getElementById("main").append(notice(error));
  throw error;
});
