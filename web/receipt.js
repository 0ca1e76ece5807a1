// The receipt of an erasure: what became of everything, and a look at whether it is gone.

import { call } from "./api.js";
import { breakable, count, element, notice, page } from "./dom.js";
import { save } from "./privacy.js";

const KEPT = "headrace.receipt";
const ASK_AGAIN_MS = 1_000;

const STATES = {
  gone: ["Gone", "nothing is left"],
  forgotten: ["Forgotten", "nobody reads it, the last bytes go"],
  expires: ["Expires", "nothing is made of it any more, it goes by age"],
  found: ["Still there", "it should not be"],
};

/** For this window alone: whoever wants it longer saves it. */
export function keepReceipt(receipt) {
  sessionStorage.setItem(KEPT, JSON.stringify(receipt));
}

export function receiptPage() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT));
  const main = page("Receipt");
  main.append(element("h1", {}, kept ? "You are erased" : "Check a receipt"));
  if (kept) return show(main, kept, { fresh: true });
  const told = element("div", { role: "status" });
  const file = element("input", { type: "file", accept: "application/json,.json" });
  file.onchange = async () => {
    try {
      const receipt = JSON.parse(await file.files[0].text());
      told.replaceChildren();
      await show(main, receipt, { fresh: false });
    } catch (error) {
      told.replaceChildren(error.problem ? notice(error) : element("p", { className: "notice bad", role: "alert" }, "This file is no receipt of an erasure."));
    }
  };
  main.append(element("label", { className: "field" }, "The file that you saved", file), told);
  return undefined;
}

async function show(main, receipt, { fresh }) {
  const news = element("p", { role: "status" });
  const table = element("tbody");
  const counted = element("th", { scope: "col" }, "Removed");
  const checked = element("div", { role: "status" });
  const keep = element("button", { type: "button", className: fresh ? "primary" : "" }, "Save the receipt");
  keep.onclick = () => save(new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" }), `headrace-receipt-${receipt.erasure_id.slice(3, 11)}.json`);
  const check = element("button", { type: "button" }, "Look again");
  check.onclick = async () => {
    check.disabled = true;
    if (await look(receipt, checked, table)) counted.textContent = "Found now";
    check.disabled = false;
  };
  const first = await standing(receipt, news, table); // so that the page comes at once, and stays
  main.append(
    element("p", {}, fresh
      ? "Save the receipt: it is shown this once, and with it you can have it looked at again whether anything is left."
      : "What the receipt stands for, and how it stands now."),
    element("dl", { className: "facts" },
      element("dt", {}, "Erasure"), element("dd", {}, element("code", {}, receipt.erasure_id)),
      element("dt", {}, "Asked for"), element("dd", {}, new Date(receipt.requested_at).toLocaleString())),
    element("div", { className: "actions" }, keep, check), checked, news,
    element("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": "What became of everything" },
      element("table", { className: "places" },
        element("caption", { className: "unseen" }, "What became of everything"),
        element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Where"), counted, element("th", { scope: "col" }, "How it stands"))), table)),
  );
  if (!first.completed_at) await follow(receipt, news, table);
}

/** Shows how far it is until it is done. */
async function follow(receipt, news, table) {
  do {
    await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
  } while (!(await standing(receipt, news, table)).completed_at);
}

/** Shows how it stands. Returns it. */
async function standing(receipt, news, table) {
  const told = await call("GET", `/v1/erasures/${encodeURIComponent(receipt.erasure_id)}`);
  table.replaceChildren(...rows(told.places));
  news.textContent = told.completed_at
    ? `Completed ${new Date(told.completed_at).toLocaleString()}.`
    : "No table has anything of you any more. Memories and logs are being dealt with: a few seconds.";
  return told;
}

/** Tells what is found now. Returns whether that could be found out. */
async function look(receipt, told, table) {
  const { erasure_id, ...rest } = receipt;
  told.replaceChildren(element("p", {}, "Looking into every table, log and memory…"));
  try {
    const found = await call("POST", `/v1/erasures/${encodeURIComponent(erasure_id)}/check`, { body: rest });
    table.replaceChildren(...rows(found.places));
    const left = found.begun_anew ? "Something is there, of whoever came under the same id since." : "Something is left that should not be.";
    told.replaceChildren(element("p", { className: found.clean ? "notice good" : "notice bad" },
      found.clean ? "The receipt is right, and nothing of you is left that should be gone." : left));
    return true;
  } catch (error) {
    told.replaceChildren(notice(error));
    return false;
  }
}

function rows(places) {
  return places.map((one) => {
    const [state, meaning] = STATES[one.state];
    const until = one.gone_by ? `${meaning}, by ${new Date(one.gone_by).toLocaleString()}` : meaning;
    return element("tr", { className: one.state },
      element("th", { scope: "row" }, breakable(one.place)), element("td", {}, count(one.removed)),
      element("td", {}, element("strong", {}, state), `: ${until}`));
  });
}
