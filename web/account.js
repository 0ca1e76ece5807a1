// The account: coming in, and what the person tells about themselves.

import { asVisitor, call, forget, keep, loggedIn, session, visitToken } from "./api.js";
import { element, page } from "./dom.js";
import { choice, email, field, form, password } from "./forms.js";

const AGE_BANDS = {
  "": "I'd rather not say", under_18: "Under 18", "18_24": "18 to 24", "25_34": "25 to 34",
  "35_44": "35 to 44", "45_54": "45 to 54", "55_64": "55 to 64", "65_and_over": "65 and over",
};

/** `step` is the last part of the address: mails lead to `confirm` and `reset`, with a token. */
export async function accountPage(step) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (step === "confirm" && token) return confirming(token);
  if (step === "reset" && token) return resetting(token);
  return loggedIn() ? ownAccount() : comingIn();
}

function comingIn() {
  const main = page("Account");
  main.append(element("h1", {}, "Account"), element("p", {}, "What you looked at on this visit comes along when you log in."), ownPages());
  const logIn = form("Log in", [email(), password("current-password")], async (values) => {
    keep(await call("POST", "/v1/accounts/log-in", { body: { ...values, visit_token: await visitToken() } }));
    location.assign("/");
  });
  const register = form("Register", [email(), field("name", "Name", { autocomplete: "name", required: false }), password("new-password")], async (values) => {
    await call("POST", "/v1/accounts", { body: values });
    return "A mail is on its way. Its link confirms your address.";
  });
  const recover = form("Forgot the password", [email()], async (values) => {
    await call("POST", "/v1/accounts/recover", { body: values });
    return "If there is an account with this address, a mail is on its way.";
  });
  main.append(element("div", { className: "forms" }, logIn, register, recover));
}

function confirming(token) {
  page("Confirm").append(element("h1", {}, "Confirm your address"), element("div", { className: "forms" },
    form("Open the account", [password("current-password")], async ({ password: chosen }) => {
      keep(await call("POST", "/v1/accounts/confirm", { body: { token, password: chosen, visit_token: await visitToken() } }));
      location.replace("/account");
    })));
}

function resetting(token) {
  page("New password").append(element("h1", {}, "Choose a new password"), element("div", { className: "forms" },
    form("Set the password", [password("new-password")], async ({ password: chosen }) => {
      await call("POST", "/v1/accounts/reset", { body: { token, password: chosen } });
      location.replace("/account");
    })));
}

async function ownAccount() {
  const me = await asVisitor("GET", "/v1/me");
  const main = page("Account");
  const out = element("button", { type: "button" }, "Log out");
  out.onclick = async () => {
    await call("POST", "/v1/accounts/log-out", { body: { refresh_token: (await session()).refresh_token } });
    forget();
    location.assign("/");
  };
  main.append(element("h1", {}, me.name ? `Hello, ${me.name}` : "Account"), element("p", {}, me.email, " ", out), ownPages());
  const profile = form("Save", [
    field("name", "Name", { value: me.name, autocomplete: "name", required: false }),
    choice("age_band", "Age", AGE_BANDS, me.age_band ?? ""),
    field("interests", "Interests", { value: me.interests.join(", "), required: false }, "Categories, with commas between. They make your first lists."),
  ], async ({ name, age_band, interests }) => {
    await asVisitor("PUT", "/v1/me", { name, age_band: age_band || null, interests: words(interests) });
    return "Saved.";
  }, "About you");
  const change = form("Change the password", [
    password("current-password"), password("new-password", "new_password", "New password"),
  ], async (values) => {
    keep(await asVisitor("POST", "/v1/me/password", values));
    return "Changed. Other devices are logged out.";
  });
  main.append(element("div", { className: "forms" }, profile, change));
}

function ownPages() {
  return element("p", {}, element("a", { href: "/history" }, "What you did"), " · ", element("a", { href: "/preferences" }, "What you don’t want to see"), " · ", element("a", { href: "/account/privacy" }, "Privacy"));
}

function words(text) {
  return text.split(",").map((word) => word.trim()).filter(Boolean);
}
