// Keys of applications, and what accounts may do.

import { element, notice } from "../dom.js";
import { choice, email, field, form } from "../forms.js";
import { moment, table } from "./parts.js";
import { ask } from "./session.js";

const SCOPES = {
  events: "send what people do",
  read: "read lists of people",
  catalogue: "change items",
  admin: "everything, keys too",
};
const ROLES = { shopper: "Shopper: their own data", merchandiser: "Merchandiser: also the catalogue", operator: "Operator: all" };

export async function show(main) {
  const keys = element("div");
  const refresh = async () => keys.replaceChildren(tableOf((await ask("GET", "/v1/keys")).keys, refresh));
  main.append(element("div", { className: "forms" }, making(refresh), granting()),
    element("h2", {}, "Keys"), keys);
  await refresh();
}

function making(refresh) {
  const scopes = element("fieldset", { className: "field checks" }, element("legend", {}, "Scopes"),
    Object.entries(SCOPES).map(([scope, about]) => element("label", {},
      element("input", { type: "checkbox", name: "scopes", value: scope }), element("span", {}, scope, " ", element("small", {}, about)))));
  return form("Make a key", [field("name", "Name", { maxLength: 200 }, "Which application."), scopes], async ({ name }, made) => {
    const chosen = new FormData(made).getAll("scopes");
    const { key } = await ask("POST", "/v1/keys", { name, scopes: chosen });
    made.reset();
    await refresh();
    return shownOnce(key);
  });
}

function shownOnce(key) {
  const shown = element("input", { value: key, readOnly: true, "aria-label": "The new key", onfocus: () => shown.select() });
  return element("div", { className: "notice" }, element("p", {}, "Keep it now: nobody can read it again."), shown);
}

function granting() {
  return form("Set a role", [email(), choice("role", "Role", ROLES, "operator")], async (values) => {
    const account = await ask("POST", "/v1/accounts/role", values);
    return `${account.email} is ${account.role}. They have to log in again.`;
  });
}

function tableOf(keys, refresh) {
  if (keys.length === 0) return element("p", {}, "None was made yet. Those of the gateway's settings are not shown.");
  return table("Keys", ["Name", "Id", "Scopes", "Made", "Last used", ""], keys.map((one) => [
    one.name, element("code", {}, one.key_id), one.scopes.join(", "), `${moment(one.created_at)} by ${one.created_by}`,
    one.last_used_at ? moment(one.last_used_at) : "never",
    one.revoked_at ? `revoked ${moment(one.revoked_at)}` : revoking(one, refresh),
  ]));
}

function revoking({ key_id, name }, refresh) {
  const button = element("button", { type: "button", "aria-label": `Revoke ${name}` }, "Revoke");
  button.onclick = async () => {
    if (button.textContent === "Revoke") {
      button.textContent = "For good?";
      return;
    }
    try {
      await ask("DELETE", `/v1/keys/${encodeURIComponent(key_id)}`);
      await refresh();
    } catch (error) {
      button.replaceWith(notice(error));
    }
  };
  button.onblur = () => { button.textContent = "Revoke"; };
  return button;
}
