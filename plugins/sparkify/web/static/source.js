// The files of the source: a calendar of the last 60 days, the months before, and what is not up to date.

import { airflowLink, element, inline, runPath } from "./dom.js";
import { count, day, minute, number } from "./format.js";

const DAY = 24 * 3600e3;
const DAYS = 60;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
// Lines of a state that are shown unfolded.
const SHOWN = 5;
const HOURLY = "sparkify_warehouse";
const RELOADED = "`sparkify_reconcile` triggers a run that loads them.";
// The worst first. `since` are the words before the time of a state.
const STATES = {
  failed: { word: "failed", sign: "✕", tone: "bad", since: "failed at",
            remedy: "A task has failed since the day was staged. Correct the cause, then clear the task in its run." },
  vanished: { word: "vanished", sign: "?", tone: "", since: "found at",
              remedy: "The files were loaded, and are not in the bucket any more. Their rows are kept: there is nothing to do if the files have expired. Otherwise restore them. To delete the rows, trigger `sparkify_warehouse` with `start`, `end` and `accept_vanished`." },
  missing: { word: "never loaded", sign: "+", tone: "warn", since: "found at",
             remedy: `There are files that no run has loaded. ${RELOADED}` },
  changed: { word: "changed since", sign: "~", tone: "warn", since: "found at",
             remedy: `The files have changed since they were loaded. ${RELOADED}` },
  "up to date": { word: "up to date", sign: "" },
};
const WORST = Object.keys(STATES);
const name = (state) => `state-${state.replaceAll(" ", "-")}`;
const anchor = (table, state) => `source-${table}-${name(state)}`;

const grouped = (items, key) => items.reduce((groups, item) => groups.set(key(item), [...(groups.get(key(item)) ?? []), item]), new Map());
const total = (items) => items.reduce((sum, item) => sum + item.days, 0);
// "58 up to date, 1 changed since"; the best first.
const sentence = (items) => WORST.toReversed().flatMap((state) => {
  const days = total(items.filter((item) => item.state === state));
  return days ? [`${number(days)} ${STATES[state].word}`] : [];
}).join(", ");

// `reconciliation` is the state of the DAG that compares the bucket with the ledger; null if Airflow does not know it.
export function note({ reconciliation }) {
  const compared = reconciliation?.ended_at ? `Compared with the bucket at ${minute(reconciliation.ended_at)}.` : "Not compared with the bucket yet.";
  return !reconciliation || reconciliation.is_paused
    ? `${compared} Changes are not detected: the DAG sparkify_reconcile is ${reconciliation ? "paused" : "missing"}.`
    : compared;
}

export function sources(columns, rows, loads) {
  const items = rows.map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])));
  const last = items.filter((item) => !item.is_month).map((item) => Date.parse(item.start_day)).reduce((a, b) => Math.max(a, b));
  const key = element("div", { class: "key" }, WORST.toReversed().map((state) =>
    element("span", {}, element("i", { class: `cell ${name(state)}` }, STATES[state].sign), capital(STATES[state].word))),
    element("span", {}, element("i", { class: "cell" }), "No files"));
  return [key, ...[...grouped(items, (item) => item.table_name)].map(([table, all]) => source(table, all, last, loads))];
}

function source(table, items, last, loads) {
  const days = items.filter((item) => !item.is_month);
  const months = items.filter((item) => item.is_month);
  return element("div", { class: "source" },
    element("h3", {}, table),
    element("p", { class: "note" }, `Last ${DAYS} days: ${sentence(days) || "no files"}. `,
      months.length ? `Before: ${sentence(months)}.` : ""),
    element("div", { class: "parts" },
      days.length ? calendar(table, days, last) : null,
      months.length ? years(table, months) : null,
      element("div", { class: "problems" }, WORST.filter((state) => state !== "up to date").flatMap((state) => {
        const found = items.filter((item) => item.state === state);
        return found.length ? [problem(table, state, found, loads)] : [];
      }))));
}

const heads = (label, names) => element("thead", {}, element("tr", {}, element("td", {}),
  names.map((text) => element("th", { scope: "col", title: text }, text.slice(0, label)))));

// A row for each week, from the first day with files on.
function calendar(table, items, last) {
  const first = Math.max(last - (DAYS - 1) * DAY, Math.min(...items.map((item) => Date.parse(item.start_day))));
  const monday = first - ((new Date(first).getUTCDay() + 6) % 7) * DAY;
  const found = new Map(items.map((item) => [item.start_day, item]));
  const date = (week, weekday) => monday + (7 * week + weekday) * DAY;
  const weeks = Array.from({ length: Math.floor((last - monday) / (7 * DAY)) + 1 }, (_, week) =>
    element("tr", {}, element("th", { scope: "row" }, day(date(week, 0)).slice(5)), WEEKDAYS.map((_, weekday) => {
      const at = date(week, weekday);
      if (at < first || at > last) return element("td", {});
      const text = day(at);
      return element("td", {}, cell(table, text, String(Number(text.slice(8))), found.has(text) ? [found.get(text)] : []));
    })));
  return element("table", { class: "calendar", "aria-label": `Days of ${table}` }, heads(3, WEEKDAYS), element("tbody", {}, weeks));
}

// A row for each year.
function years(table, items) {
  const found = grouped(items, (item) => item.start_day.slice(0, 7));
  const all = [...grouped(items, (item) => item.start_day.slice(0, 4)).keys()];
  return element("table", { class: "calendar months", "aria-label": `Months of ${table}` }, heads(1, MONTHS), element("tbody", {},
    all.map((year) => element("tr", {}, element("th", { scope: "row" }, year), MONTHS.map((_, at) => {
      const month = `${year}-${String(at + 1).padStart(2, "0")}`;
      return element("td", {}, found.has(month) ? cell(table, month, "", found.get(month)) : null);
    })))));
}

// `items` are the states of the cell's days. What is not up to date links to its explanation.
function cell(table, when, text, items) {
  const state = WORST.find((worst) => items.some((item) => item.state === worst));
  const said = `${when}: ${items.length > 1 || items[0]?.is_month ? sentence(items) : STATES[state]?.word ?? "no files"}`;
  const linked = state && state !== "up to date";
  return element(linked ? "a" : "span", {
    class: state ? `cell ${name(state)}` : "cell", title: said, "aria-label": said,
    href: linked ? `#${anchor(table, state)}` : null, role: linked ? null : "img",
  }, text, state ? STATES[state].sign : "");
}

function problem(table, state, items, loads) {
  const { word, sign, tone, remedy } = STATES[state];
  const lines = ranges(items).map(line);
  const paused = loads.is_paused ? HOURLY : loads.reconciliation?.is_paused ? "sparkify_reconcile" : null;
  const waits = paused && ["changed", "missing"].includes(state);
  return element("article", { class: "problem", id: anchor(table, state) },
    element("h3", { class: tone }, `${sign} ${capital(word)}: ${count(total(items), "day")}`),
    element("p", {}, inline(`${remedy}${waits ? ` Nothing is triggered while \`${paused}\` is paused.` : ""}`), " ",
      state === "failed" ? airflowLink(`dags/${HOURLY}/runs`, {}, `Runs of ${HOURLY}`) : null),
    element("ul", {}, lines.slice(0, SHOWN)),
    lines.length > SHOWN
      ? element("details", {}, element("summary", {}, `${lines.length - SHOWN} more`), element("ul", {}, lines.slice(SHOWN)))
      : null);
}

// Adjacent days with the same facts are one line, the latest first.
function ranges(items) {
  const same = (one, other) => !one.is_month && one.since === other.since && one.run_id === other.run_id
    && Date.parse(one.last_day) + DAY === Date.parse(other.first_day);
  return items.reduce((found, item) => {
    const before = found.at(-1);
    if (!before || !same(before, item)) return [...found, item];
    return [...found.slice(0, -1), { ...before, last_day: item.last_day, days: before.days + item.days }];
  }, []).reverse();
}

function line(item) {
  const facts = [
    item.days > 1 ? count(item.days, "day") : null,
    item.since ? `${STATES[item.state].since} ${minute(item.since)}` : null,
    item.attempts > 1 ? `attempt ${number(item.attempts)}` : null,
  ].filter(Boolean).map((text) => element("span", {}, text));
  return element("li", {},
    element("strong", {}, item.days > 1 ? `${item.first_day} to ${item.last_day}` : item.first_day),
    facts,
    item.attempts && item.state !== "failed" ? airflowLink(runPath(HOURLY, item.run_id), {}, `Run ${item.run_id}`) : null);
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
