// What the visitor says about items, and takes back.

import { asVisitor, record, recommendations, session, waitFor } from "./api.js";

// Of a quarter of a second each.
const MOST_WAITS = 8;

/** Says that an item, or a category, is not wanted in any list. Rows on the page are made anew. */
export async function notInterested({ itemId, category }) {
  await record("not_interested", itemId, { category });
  dispatchEvent(new Event("feedback"));
}

/** Takes that back. */
export async function wantAgain({ itemId, category }) {
  await settled();
  const what = new URLSearchParams(category ? { category } : { item_id: itemId });
  await takeBack(`/not-interested?${what}`);
}

/** Removes an entry of the history. */
export async function removeEntry(eventId) {
  await settled();
  await takeBack(`/history/${encodeURIComponent(eventId)}`);
}

/** A page of the history, newest first: `entries`, `next_cursor`. */
export async function history({ limit = 50, cursor = "" } = {}) {
  const query = new URLSearchParams({ limit, ...(cursor ? { cursor } : {}) });
  return asVisitor("GET", `${await own()}/history?${query}`);
}

/** What is not wanted: `items`, `categories`. */
export async function unwanted() {
  return asVisitor("GET", `${await own()}/not-interested`);
}

/** Whether the visitor's lists may be personal. */
export async function personal() {
  return (await asVisitor("GET", `${await own()}/personalisation`)).enabled;
}

async function takeBack(path) {
  waitFor((await asVisitor("DELETE", `${await own()}${path}`)).event_id);
  dispatchEvent(new Event("feedback"));
}

/** What was said a moment ago may still be on its way into the log: a list waits for it. */
async function settled() {
  for (let tries = 0; tries < MOST_WAITS; tries += 1) {
    const { after, not_personal_because: general } = await recommendations({ n: 1 });
    if (general) return; // those wait when it is said
    if (after?.status !== "pending" && after?.status !== "unknown") return;
  }
}

async function own() {
  return `/v1/users/${encodeURIComponent((await session()).user_id)}`;
}
