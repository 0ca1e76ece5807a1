// What is stored of the visitor: to be had, to be stopped, to be erased.

import { asVisitor, call, forget, loggedIn, session } from "./api.js";
import { element, notice, page } from "./dom.js";
import { form, password } from "./forms.js";
import { keepReceipt } from "./receipt.js";

export async function privacyPage() {
  const { user_id: me } = await session();
  const path = `/v1/users/${encodeURIComponent(me)}`;
  const said = await asVisitor("GET", `${path}/personalisation`);
  const main = page("Privacy");
  main.append(
    element("h1", {}, "Privacy"),
    element("p", {}, loggedIn() ? "What this shop knows of you is yours." : "What this shop knows of this visit is yours, with and without an account."),
    element("div", { className: "forms" }, lists(path, said.enabled), download(), erasing(path)),
    element("p", {}, "You have erased an account before? ", element("a", { href: "/account/receipt" }, "Check its receipt"), "."),
  );
}

function lists(path, enabled) {
  const told = element("p", { role: "status" }, told_of(enabled));
  const choice = element("input", { type: "checkbox", role: "switch", id: "personal-lists", checked: enabled });
  choice.onchange = async () => {
    choice.disabled = true;
    try {
      const said = await asVisitor("PUT", `${path}/personalisation`, { enabled: choice.checked });
      told.replaceChildren(told_of(said.enabled));
    } catch (error) {
      choice.checked = !choice.checked;
      told.replaceChildren(notice(error));
    } finally {
      choice.disabled = false;
      choice.focus();
    }
  };
  return element("section", { className: "panel", "aria-labelledby": "lists-title" },
    element("h2", { id: "lists-title" }, "Personal lists"),
    element("label", { className: "switch" }, choice, element("span", {}, "Lists follow what I do")), told);
}

function told_of(enabled) {
  return enabled
    ? "What you look at, buy and rate shapes what you are shown."
    : "You are shown what everybody is shown, without what you said you don’t want to see. Nothing else that you do here is kept.";
}

function download() {
  return form("Download everything", [
    element("p", {}, "One document with all that is stored: account, history, and what was made of it."),
  ], async () => {
    const { access_token, user_id } = await session();
    const answer = await fetch(`/v1/users/${encodeURIComponent(user_id)}/export`, { headers: { authorization: `Bearer ${access_token}` } });
    if (!answer.ok) throw Object.assign(new Error(), { problem: await answer.json() });
    save(await answer.blob(), "headrace-export.json");
    return "The document is in your downloads.";
  });
}

/** Puts a file into the visitor's downloads. */
export function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function erasing(path) {
  const sure = element("label", { className: "switch" },
    element("input", { type: "checkbox", required: true }), element("span", {}, "I know that this cannot be undone"));
  const made = form("Erase everything", [
    element("p", {}, loggedIn()
      ? "Your account, your history and everything made of it. You get a receipt that shows that it is gone."
      : "This visit and everything made of it. You get a receipt that shows that it is gone."),
    loggedIn() ? password("current-password") : null,
    sure,
  ], async (values) => {
    const { access_token: token } = await session({ renew: false });
    const receipt = await call("DELETE", path, { body: values, token });
    forget();
    keepReceipt(receipt);
    location.assign("/account/receipt");
  });
  made.classList.add("danger");
  return made;
}
