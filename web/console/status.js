// The model, the indexes, and how far the ranker is behind; as of now, again every few seconds.

import { count, element, notice } from "../dom.js";
import { bar, moment, pairs, section, table } from "./parts.js";
import { ask } from "./session.js";

const AGAIN_MS = 5_000;
const BYTES = ["B", "kB", "MB", "GB", "TB"];

export async function show(main) {
  const told = element("div");
  const at = element("p", { role: "status" });
  main.append(at, told);
  const refresh = async () => {
    try {
      const { ranker } = await ask("GET", "/v1/console/status");
      told.replaceChildren(...sections(ranker));
      at.textContent = `As of ${new Date().toLocaleTimeString()}, of the ranker that answered.`;
    } catch (error) {
      told.replaceChildren(notice(error));
      at.textContent = "";
    }
  };
  await refresh();
  setInterval(() => { if (!document.hidden) refresh(); }, AGAIN_MS);
}

function sections(ranker) {
  return [
    section("Model", pairs([
      ["Version", element("code", {}, ranker.model.model_version)],
      ["Written", moment(ranker.model.created_at)],
      ["Vectors", `${ranker.model.width} wide, people's ${ranker.model.user_width}`],
      ["Network", ranker.model.tower],
      ["Order by", ranker.model.ranking === "ncf" ? "the head" : "nearness: the head did no better"],
      ["Trained on", `${count(ranker.model.items)} items`],
      ...Object.entries(ranker.model.metrics).sort().map(([name, value]) => [name, Number(value).toPrecision(4)]),
    ])),
    section("Items", pairs([
      ["May be shown", `${count(ranker.items_shown)} of ${count(ranker.items_known)}`],
      ["Trending", `${count(ranker.trending_items)}, ${ranker.trending_loaded_at ? `read ${moment(ranker.trending_loaded_at)}` : "not read yet"}`],
    ])),
    section("Indexes", table("Indexes", ["Index", "Base", "Delta", "Tombstones", "Apart from the base"], ranker.indexes.map((one) => {
      const apart = (one.delta + one.tombstones) / Math.max(1, one.base + one.delta);
      return [one.name, count(one.base), count(one.delta), count(one.tombstones),
        element("span", { className: "number" }, `${(100 * apart).toFixed(1)} %`, bar(apart))];
    }))),
    section("In memory", pairs([
      ["Since", moment(ranker.started_at)],
      ["People's vectors", element("span", { className: "number" },
        `${count(ranker.people)}, ${bytes(ranker.people_bytes)} of ${bytes(ranker.people_max_bytes)}`, bar(ranker.people_bytes / ranker.people_max_bytes))],
      ["Filters kept", count(ranker.filters)],
    ])),
    section("Topics", table("Topics", ["Topic", "State", "Behind by"], ranker.readers.map((one) => [
      element("code", {}, one.topic), one.caught_up ? "caught up" : "still loading", one.lag === null ? "not known yet" : `${count(one.lag)} records`,
    ]))),
  ];
}

function bytes(number) {
  const power = number > 0 ? Math.min(BYTES.length - 1, Math.floor(Math.log10(number) / 3)) : 0;
  return `${(number / 1000 ** power).toFixed(power ? 1 : 0)} ${BYTES[power]}`;
}
