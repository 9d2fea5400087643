// The data dictionary: the declared tables, each collapsed, with their columns. The browser's find expands them.

import { element } from "./dom.js";
import { minute } from "./format.js";

const HEAD = ["Column", "Type", "Description", "Source"];
const badge = (kind, text) => element("span", { class: `badge ${kind}` }, text);
const lines = (names) => names.map((name) => element("code", {}, name));

const column = ({ name, type, description, unit, is_personal: personal, sources }) =>
  element("tr", {},
    element("th", { scope: "row" }, element("code", {}, name)),
    element("td", { class: "type" }, type),
    element("td", {}, description, unit ? badge("unit", unit) : null, personal ? badge("personal", "Personal") : null),
    element("td", { class: "sources" }, lines(sources)));

// `rows` are the numbers of rows by table, as text, as far as they are known; `open` are the names of the expanded tables.
export const tables = (described, rows, open) => described.map((table) => {
  const facts = [
    rows.has(table.name) ? `${rows.get(table.name)} ${rows.get(table.name) === "1" ? "row" : "rows"}` : null,
    table.changed_at ? `changed ${minute(table.changed_at)}` : null,
  ].filter(Boolean).join(" · ");
  const columns = table.columns.some(({ sources }) => sources.length) ? HEAD : HEAD.slice(0, -1);
  return element("details", { class: "entry", "data-table": table.name, open: open.has(table.name) },
    element("summary", {},
      element("code", {}, table.name),
      element("span", { class: "about" }, table.description,
        table.columns.some((item) => item.is_personal) ? badge("personal", "Personal data") : null),
      element("small", {}, facts)),
    table.sources.length ? element("p", { class: "note" }, `Loaded from ${table.sources.join(", ")}.`) : null,
    element("div", { class: "scroll" }, element("table", {},
      element("thead", {}, element("tr", {}, columns.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", {}, table.columns.map(column)))));
});
