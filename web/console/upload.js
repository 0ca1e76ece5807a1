// Filling the catalogue from a file, with a report of what could not be used.

import { contentOf } from "../api.js";
import { count, element } from "../dom.js";
import { form } from "../forms.js";
import { table } from "./parts.js";
import { fetched } from "./session.js";

const COLUMNS = "item_id, title, description, categories and tags (parted by |), price and currency, picture_url, "
  + "availability, publish_at, expire_at, attributes.<name>, text_attributes.<name>";

export function show(main) {
  const file = element("input", { type: "file", name: "file", required: true, accept: ".csv,.tsv,.jsonl,.ndjson" });
  const report = element("section", { "aria-label": "Report", "aria-live": "polite" });
  main.append(
    element("p", {}, "Items that are there already are replaced, all others stay. Lists and search have the change at once."),
    element("div", { className: "forms" }, form("Upload", [
      element("label", { className: "field" }, "File", file, element("small", {}, "CSV with a header, or JSON Lines (.jsonl). UTF-8, of any length.")),
    ], async () => {
      report.replaceChildren();
      const [chosen] = file.files;
      const began = performance.now();
      const answer = await contentOf(await fetched("/v1/items/upload", {
        method: "POST", headers: { "content-type": typeOf(chosen.name) }, body: chosen,
      }));
      report.replaceChildren(...reported(answer, chosen.name, (performance.now() - began) / 1000));
    }), element("div", { className: "panel" }, element("h2", {}, "Columns"), element("p", {}, COLUMNS, "."),
      element("p", {}, "Lines that cannot be used are reported below, the others count."))),
    report,
  );
}

function typeOf(name) {
  return /\.(jsonl|ndjson)$/i.test(name) ? "application/x-ndjson" : "text/csv";
}

function reported({ stored, refused, lines }, name, seconds) {
  const told = element("p", { className: refused ? "notice bad" : "notice" },
    `${name}: ${count(stored)} stored, ${count(refused)} refused, in ${seconds.toFixed(1)} s.`);
  if (refused === 0) return [told];
  const shown = lines.length < refused ? ` (the first ${count(lines.length)})` : "";
  return [told, element("h2", {}, `Refused lines${shown}`),
    table("Refused lines", ["Line", "Column", "Why"], lines.map((one) => [count(one.line), one.column || "the line", one.reason]))];
}
