// A visit in the browser: a token for it, clicks, and a list that has the last click in it.

const gateway = new URLSearchParams(location.search).get("gateway") ?? "http://127.0.0.1:8080";
const told = document.getElementById("told");

/** JSON in, JSON out. A problem document becomes an Error that says what would be right. */
async function call(path, body, token) {
  const answer = await fetch(gateway + path, {
    method: body ? "POST" : "GET",
    headers: {
      ...(body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: body && JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

/** The visit of this tab. Its token opens its own data and nothing else, so no key is in the page. */
async function begin() {
  const kept = JSON.parse(sessionStorage.getItem("visit"));
  if (kept) return kept;
  const { visitor_id: id, visit_token: token } = await call("/v1/visits", {});
  sessionStorage.setItem("visit", JSON.stringify({ id, token }));
  return { id, token };
}

const visit = await begin().catch(tell);

async function click(item) {
  const event = { user_id: visit.id, item_id: item.item_id, type: "click" };
  const { event_ids } = await call("/v1/events", { events: [event] }, visit.token);
  await showForYou(event_ids[0]);
}

async function showForYou(after) {
  const asked = { user_id: visit.id, n: 6, ...(after && { after }) };
  const list = await call("/v1/recommendations", asked, visit.token);
  show("for-you", list.items);
  told.textContent = list.after?.status === "applied"
    ? "The list below knows your last click."
    : "Nothing is known of you yet.";
}

async function showPopular() {
  show("popular", (await call("/v1/items?n=6")).items);
}

/** Titles are text, never markup. */
function show(id, items) {
  document.getElementById(id).replaceChildren(...items.map((item) => {
    const button = document.createElement("button");
    const categories = document.createElement("small");
    categories.textContent = item.categories.join(", ");
    button.append(item.title, categories);
    button.onclick = () => click(item).catch(tell);
    const place = document.createElement("li");
    place.append(button);
    return place;
  }));
}

function tell(error) {
  told.textContent = `Not now: ${error.message}`;
}

if (visit) await Promise.all([showPopular(), showForYou()]).catch(tell);
