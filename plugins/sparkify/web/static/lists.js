// Panels that are tiles, tables or lists. Each function returns the elements for the rows of its panel.

import { airflowLink, element, runPath } from "./dom.js";
import { clock, day, duration, minute, number, percent } from "./format.js";
import { status } from "./problems.js";

const HOUR = 3600e3;
// The time that the load of an hour may take after its end, in milliseconds.
const GRACE = 20 * 60e3;
const HOURLY = "sparkify_warehouse";

const tile = (value, remark, tone) =>
  [element("strong", {}, value), element("small", { class: tone }, remark)];

// `loads` is the response of api/loads: the state of the DAG and the server's time. Data is never loaded beyond that time, even
// if a run's range ends later.
export function freshness([[until, scheduled, loadedAt, latestPlay]], loads) {
  const loaded = until ?? latestPlay;
  if (!loaded) return tile("Nothing yet", "No interval has been loaded.");
  const now = Date.parse(loads.now);
  const due = Math.floor((now - GRACE) / HOUR) * HOUR;
  const behind = due - Date.parse(loaded);
  const shown = minute(Math.min(Date.parse(loaded), now));
  const failed = status(loads.failures.filter((item) => item.dag_id === HOURLY));
  if (failed) return tile(shown, element("a", { class: failed[1], href: "#failures" }, failed[0]), failed[1]);
  if (behind <= 0) return tile(shown, "On schedule: the last full hour is loaded", "good");
  const paused = loads.is_paused ? "the schedule is paused" : null;
  // A warehouse with historical data only is never late.
  if (!scheduled) return tile(shown, `Historical data only; ${paused ?? "no scheduled run yet"}`);
  return tile(shown, `${duration(behind)} behind; ${paused ?? `last load at ${minute(loadedAt)}`}`, behind > 3 * HOUR ? "bad" : "warn");
}

// Rows with an invalid timestamp are in the table, but excluded from charts.
const implausible = (value) => `${number(value)} before 1970 or in the future`;

// A line breaks between days, not in one.
const whole = (text) => element("span", {}, text.split(" ").flatMap((word) => [element("span", { class: "whole" }, word), " "]));

// `rows` are the days with their plays, `which` names the days, `tables` are the rows of the panel tables if they are known.
export const totals = (rows, which, tables = []) => {
  const plays = number(rows.reduce((sum, [, value]) => sum + value, 0));
  const bad = tables.find(([name]) => name === "songplays")?.[3];
  return bad ? tile(plays, `${implausible(bad)}: excluded from charts`, "warn") : tile(plays, rows.length ? whole(which ?? "") : "None yet");
};

// The number of rows of a table; an estimate is rounded to three digits.
export const rowCount = (value, isEstimate) => (isEstimate ? `≈ ${number(Number(value.toPrecision(3)))}` : number(value));

// What the metrics of a panel mean, according to the catalogue.
export const definitions = (metrics) => element("details", { class: "metrics" },
  element("summary", {}, "What is counted"),
  element("dl", {}, metrics.flatMap(({ name, title, meaning, unit, additive }) => [
    element("dt", {}, title, " ", element("code", {}, `metrics.${name}`)),
    element("dd", {}, meaning, " ",
      element("span", { class: "muted" }, [unit ? `Unit: ${unit}.` : "", additive === "no" ? "Not additive." : additive ? `Additive ${additive}.` : ""].join(" "))),
  ])));

export const users = (rows) => {
  const all = rows.reduce((sum, [, value]) => sum + value, 0);
  return tile(number(all), rows.map(([level, value]) => `${number(value)} ${level}`).join(", ") || "None yet");
};

export const tables = (rows) =>
  element("table", {},
    element("thead", {}, element("tr", {}, element("th", {}, "Table"), element("th", { class: "number" }, "Rows"),
      element("th", { class: "number" }, "Newest"))),
    element("tbody", {}, rows.map(([name, value, newest, bad, estimated]) =>
      element("tr", {},
        element("td", {}, name, bad ? element("small", { class: "remark warn" }, implausible(bad)) : null),
        element("td", { class: "number", title: estimated ? "Estimate of the database, as of its last ANALYZE" : null },
          rowCount(value, estimated)),
        // A narrow panel breaks a time between its date and its hour.
        element("td", { class: "number time" }, element("span", {}, newest ? day(newest) : "–"), " ",
          element("span", {}, newest ? clock(newest) : ""))))));

// A table of the rows of any query, with its column names.
export const any = (columns, rows) => {
  const kind = (index) => (rows.every((row) => row[index] === null || typeof row[index] === "number") ? "number" : null);
  const text = (value) => (value === null ? "–" : typeof value === "number" ? number(value) : /^\d{4}-\d\d-\d\dT.*Z$/.test(value) ? minute(value) : String(value));
  const cells = (tag, values) => element("tr", {}, values.map((value, index) => element(tag, { class: kind(index) }, value)));
  return element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, cells("th", columns.map((name) => name.replaceAll("_", " ")))),
    element("tbody", {}, rows.map((row) => cells("td", row.map(text))))));
};

// `items` are [name, remark, value, text of the value].
function ranks(items) {
  const most = Math.max(...items.map(([, , value]) => value));
  return element("ol", { class: "ranks" }, items.map(([name, remark, value, text]) =>
    element("li", {},
      element("div", { class: "line" },
        element("span", { class: "name", title: remark ? `${name}, ${remark}` : name }, name,
          remark ? element("small", {}, remark) : null),
        element("span", {}, text)),
      element("div", { class: "bar" }, element("span", { style: `width: ${(100 * value) / most}%` })))));
}

export const songs = (rows) => ranks(rows.map(([song, artist, plays]) => [song || "(no title)", artist, plays, number(plays)]));
export const artists = (rows) => ranks(rows.map(([artist, plays]) => [artist || "(no name)", null, plays, number(plays)]));
export const browsers = (rows) =>
  ranks(rows.map(([name, plays, share]) => [name, percent(share), plays, number(plays)]));

// What became of the file or object. `staging` are the states of the staging tasks by run: a task that fails because of
// rejected rows stages nothing.
function fate(table, run, source, staging) {
  if (source === "object") return "Object quarantined, nothing of it is staged";
  if (staging.error) return "Unknown";
  const state = staging[run]?.[table.replace("staging_", "stage_")];
  if (state === undefined) return "Unknown, the run was deleted";
  if (state === "success") return "The other rows are staged";
  return ["failed", "up_for_retry"].includes(state) ? "Load failed, nothing of this file is staged" : "The file is being read again";
}

export const runs = (rows) => new URLSearchParams([...new Set(rows.map(([, run]) => run))].map((run) => ["run", run]));

export function rejected(rows, staging) {
  const shown = rows.map(([table, run, at, file, line, column, code, reason, value, source]) =>
    element("tr", {},
      element("td", { class: "time" }, airflowLink(runPath("sparkify_warehouse", run), { title: `Run ${run}` }, minute(at))),
      element("td", {}, element("code", {}, line ? `${file}:${line}` : file)),
      element("td", {}, fate(table, run, source, staging)),
      element("td", {}, table, column ? `.${column.trim()}` : ""),
      element("td", {}, `${code}: ${reason ?? "no reason given"}`),
      element("td", {}, value === null ? "" : element("code", {}, value.length > 80 ? `${value.slice(0, 80)}…` : value))));
  const head = ["Rejected", "File and line", "What is staged", "Column", "Reason", "Value"];
  return element("div", { class: "scroll" }, element("table", { class: "wide-table" },
    element("thead", {}, element("tr", {}, head.map((name) => element("th", {}, name)))), element("tbody", {}, shown)));
}

export const rejectedNote = (rows) => {
  const all = rows.length ? rows[0][10] : 0;
  const which = "rejected rows of the files that were read last";
  return all > rows.length ? `The latest ${number(rows.length)} of ${number(all)} ${which}` : `The ${which}`;
};
