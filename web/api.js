// The gateway's HTTP API, called as the visitor: with the token of a visit, or of an account.

import { forgetBrowser } from "./memory.js";

const STORED = "headrace.session";
const LAST_EVENT = "headrace.last-event";
const EARLY_MS = 30_000;

/** An answer that is no success; `problem` is its problem document. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

/** Calls the API. Bodies are JSON. Throws Refused, or TypeError where the gateway is away. */
export async function call(method, path, { body, token } = {}) {
  const headers = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (token) headers.authorization = `Bearer ${token}`;
  return contentOf(await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }));
}

/** What the gateway answered, as data; null where there is none. Throws Refused. */
export async function contentOf(answer) {
  if (answer.status === 204) return null;
  const document = await answer.json().catch(() => ({ title: answer.statusText, status: answer.status }));
  if (!answer.ok) throw new Refused(document);
  return document;
}

/** As the visitor. A token that has run out is renewed. */
export async function asVisitor(method, path, body) {
  const { access_token: token } = await session();
  try {
    return await call(method, path, { body, token });
  } catch (error) {
    if (!(error instanceof Refused) || error.problem.status !== 401) throw error;
    return call(method, path, { body, token: (await session({ renew: true })).access_token });
  }
}

let renewing = null;

/** Who the visitor is: `user_id`, `access_token`, and `refresh_token` where they are logged in. */
export async function session({ renew = false } = {}) {
  const kept = read();
  if (kept && !renew && kept.until > Date.now() + EARLY_MS) return kept;
  renewing ??= alone(STORED, () => renewed(kept)).finally(() => { renewing = null; });
  return renewing;
}

/** One window at a time, so that one of them asks for what all can use. */
export function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work(); // none but on HTTPS and localhost
}

/** known: the session that is to be renewed. Another window may have done it meanwhile. */
async function renewed(known) {
  const kept = read();
  if (kept && kept.access_token !== known?.access_token) return kept;
  if (kept?.refresh_token) {
    try {
      return keep(await call("POST", "/v1/accounts/refresh", { body: { refresh_token: kept.refresh_token } }));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      forget();
    }
  }
  const body = kept?.refresh_token || !kept ? {} : { visit_token: kept.access_token };
  const visit = await call("POST", "/v1/visits", { body });
  return keep({ user_id: visit.visitor_id, access_token: visit.visit_token, expires_in: visit.expires_in });
}

/** The token of the visit before an account is entered: its events come along. */
export async function visitToken() {
  return loggedIn() ? undefined : (await session()).access_token;
}

/** Remembers a session that the API gave. */
export function keep(given) {
  const kept = { ...given, until: Date.now() + given.expires_in * 1000 };
  localStorage.setItem(STORED, JSON.stringify(kept));
  return kept;
}

/** Forgets the session and what its person left in the browser; the next call begins a visit. */
export function forget() {
  localStorage.removeItem(STORED);
  sessionStorage.removeItem(LAST_EVENT);
  forgetBrowser();
}

/** Whether somebody is here already; asking `session` would begin a visit. */
export function isKnown() {
  return read() !== null;
}

export function loggedIn() {
  return Boolean(read()?.refresh_token);
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(STORED));
  } catch {
    return null;
  }
}

/** Says what the visitor did, or of which category; the next list waits for it. Returns its id. */
export async function record(type, itemId, { value, category } = {}) {
  const { user_id } = await session();
  const { event_ids } = await asVisitor("POST", "/v1/events", { events: [{ user_id, item_id: itemId, category, type, value }] });
  return waitFor(event_ids[0]);
}

/** The next list waits for this event. Returns its id. */
export function waitFor(eventId) {
  sessionStorage.setItem(LAST_EVENT, eventId);
  return eventId;
}

/** A list for the visitor that has their last click in it. */
export async function recommendations(asked) {
  const { user_id } = await session();
  const after = sessionStorage.getItem(LAST_EVENT) ?? undefined;
  return asVisitor("POST", "/v1/recommendations", { user_id, after, ...asked });
}
