// Who is logged in to the console. The shop's session is another one: looking at the shop as a
// visitor, and at the console as an operator, goes in one browser.

import { Refused, alone, call, contentOf } from "../api.js";

const STORED = "headrace.console";
const EARLY_MS = 30_000;

/** The session: `role`, `email`, tokens; null where nobody is logged in. */
export function signedIn() {
  try {
    return JSON.parse(localStorage.getItem(STORED));
  } catch {
    return null;
  }
}

export async function logIn({ email, password }) {
  return keep(await call("POST", "/v1/accounts/log-in", { body: { email, password } }), email);
}

export async function logOut() {
  const { refresh_token } = signedIn();
  localStorage.removeItem(STORED);
  await call("POST", "/v1/accounts/log-out", { body: { refresh_token } });
}

/** Calls the API as whoever is logged in. Bodies are JSON. Throws as `call` does. */
export async function ask(method, path, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return contentOf(await fetched(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
}

/** As `fetch`, for whoever is logged in; where that has ended, the page starts anew at the log-in. */
export async function fetched(path, { headers = {}, ...rest } = {}) {
  const answer = await fetch(path, { ...rest, headers: { ...headers, authorization: `Bearer ${await token()}` } });
  if (answer.status === 401) return ended();
  return answer;
}

let renewing = null;

async function token() {
  const kept = signedIn();
  if (kept === null) return ended();
  if (kept.until > Date.now() + EARLY_MS) return kept.access_token;
  renewing ??= alone(STORED, () => renewed(kept)).finally(() => { renewing = null; });
  return (await renewing).access_token;
}

async function renewed({ refresh_token, email }) {
  const kept = signedIn();
  if (kept?.refresh_token !== refresh_token) return kept ?? ended(); // another window was first
  try {
    return keep(await call("POST", "/v1/accounts/refresh", { body: { refresh_token } }), email);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return ended();
  }
}

function ended() {
  localStorage.removeItem(STORED);
  location.reload();
  return new Promise(() => {});
}

function keep(given, email) {
  const kept = { ...given, email, until: Date.now() + given.expires_in * 1000 };
  localStorage.setItem(STORED, JSON.stringify(kept));
  return kept;
}
