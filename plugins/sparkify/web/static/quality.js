// Data quality: checks by run. Checks that failed or warned come first; those that always passed are collapsed.

import { airflowLink, element, inline, runPath } from "./dom.js";
import { count, minute, number, span } from "./format.js";
import { any } from "./lists.js";

const WORDS = { passed: "Passed", warned: "Warning", failed: "Failed" };
const SIGNS = { passed: "✓", warned: "!", failed: "✕" };
const WORST = ["passed", "warned", "failed"];

const worst = (outcomes) => WORST[Math.max(...outcomes.map((item) => WORST.indexOf(item.outcome)))];

function results(columns, rows) {
  return rows.map((row) => Object.fromEntries(columns.map((name, place) => [name, row[place]])));
}

function grouped(items, key) {
  const groups = new Map();
  for (const item of items) {
    if (!groups.has(key(item))) groups.set(key(item), []);
    groups.get(key(item)).push(item);
  }
  return groups;
}

const interval = (item) => `${item.interval_start} ${item.interval_end}`;
const check = (item) => `${item.table_name}: ${item.check_name}`;
const newest = (items) => items.reduce((last, item) => (item.checked_at >= last.checked_at ? item : last));

// The latest outcome of each check, the worst first.
const latest = (columns, rows) =>
  [...grouped(results(columns, rows), (item) => `${item.dag_id} ${check(item)}`).values()].map(newest)
    .sort((a, b) => WORST.indexOf(b.outcome) - WORST.indexOf(a.outcome));
const failing = (columns, rows) => latest(columns, rows).filter((item) => item.outcome !== "passed");

export const isTroubled = ({ columns, rows }) => failing(columns, rows).length > 0;

const anchor = (item) => `check-${[item.dag_id, item.table_name, item.check_name].join("-").replace(/\W+/g, "-")}`;
const TONES = { failed: "bad", warned: "warn" };
// Names of failing checks that fit the tile.
const NAMED = 2;

export function now(columns, rows) {
  const all = latest(columns, rows);
  const troubled = failing(columns, rows);
  const number_of = (outcome) => all.filter((item) => item.outcome === outcome).length;
  const [failed, warned] = [number_of("failed"), number_of("warned")];
  const words = [failed && `${number(failed)} failed`, warned && count(warned, "warning")].filter(Boolean).join(", ");
  const links = troubled.slice(0, NAMED).map((item) =>
    element("a", { class: `named ${TONES[item.outcome]}`, href: `#${anchor(item)}` }, `${SIGNS[item.outcome]} ${check(item)}`));
  const more = troubled.length - links.length;
  return [
    element("strong", {}, `${number(number_of("passed"))} of ${number(all.length)} passed`),
    element("small", { class: failed ? "bad" : warned ? "warn" : "good" }, words || "None failed"),
    ...links,
    ...(more > 0 ? [element("a", { class: "named", href: `#${anchor(troubled[NAMED])}` }, `and ${number(more)} more`)] : []),
  ];
}

// `declared` are the checks as include/checks declares them, or the error that says why they are not known.
export function problems(columns, rows, declared) {
  return failing(columns, rows).map((item) => {
    const { why, remedy } = (declared.error ? [] : declared)
      .find((other) => other.table_name === item.table_name && other.check_name === item.check_name)
      ?? { remedy: declared.error ?? "This check is not declared any more." };
    const sample = JSON.parse(item.sample ?? "[]");
    const names = [...new Set(sample.flatMap((row) => Object.keys(row)))];
    return element("article", { class: "problem", id: anchor(item) },
      element("h3", { class: TONES[item.outcome] }, `${SIGNS[item.outcome]} ${check(item)}`, " ",
        airflowLink(`dags/${encodeURIComponent(item.dag_id)}`, { class: "of" }, item.dag_id)),
      element("p", {}, `Observed: ${item.observed}; expected: ${item.expected}. `, inline(remedy)),
      why ? element("p", { class: "note" }, inline(why)) : null,
      element("ul", {}, element("li", {},
        element("strong", {}, span(item.interval_start, item.interval_end)),
        `checked at ${minute(item.checked_at)}`,
        airflowLink(runPath(item.dag_id, item.run_id), {}, `Run ${item.run_id}`))),
      sample.length
        ? element("details", {}, element("summary", {}, `Sample of the failing rows: ${sample.length}`),
          any(names, sample.map((row) => names.map((name) => row[name] ?? null))))
        : null);
  });
}

export function history(columns, rows) {
  const key = element("div", { class: "key" },
    Object.entries(WORDS).map(([outcome, word]) =>
      element("span", {}, element("i", { class: `cell ${outcome}`, style: "font-style: normal" }, SIGNS[outcome]), word)),
    element("span", {}, element("i", { class: "cell" }), "Not evaluated"));
  const dags = grouped(results(columns, rows), (item) => item.dag_id);
  return [key, ...[...dags].map(([dag, items]) => matrix(dag, items))];
}

function matrix(dag, items) {
  const runs = [...grouped(items, interval).values()];
  const checks = [...grouped(items, check).entries()].map(([name, of_check]) => ({
    name: of_check[0].check_name,
    table: of_check[0].table_name,
    outcomes: new Map(of_check.map((item) => [interval(item), item])),
    latest: newest(of_check),
    worst: worst(of_check),
    key: name,
  }));
  const rank = (item) => 3 * WORST.indexOf(item.latest.outcome) + WORST.indexOf(item.worst);
  const troubled = checks.filter((item) => item.worst !== "passed").sort((a, b) => rank(b) - rank(a));
  const calm = checks.filter((item) => item.worst === "passed");
  const line = (item) => element("tr", {},
    element("th", { class: "check", scope: "row" }, item.name, element("small", {}, remark(item))),
    runs.map((run) => element("td", {}, cell(item.outcomes.get(interval(run[0]))))));
  const summary = element("tr", { class: "all rule" },
    element("th", { class: "check", scope: "row" }, "All checks"),
    runs.map((run) => element("td", {}, cell(overall(run)))));
  const body = (rows) => element("div", { class: "scroll" }, element("table", {}, element("tbody", {}, rows)));
  const first = runs[0][0];
  const last = runs[runs.length - 1][0];
  const made = element("div", { class: "history" },
    element("h3", {}, airflowLink(`dags/${encodeURIComponent(dag)}`, {}, dag)),
    element("p", { class: "note" }, runs.length === 1
      ? span(first.interval_start, first.interval_end)
      : `${count(runs.length, "interval")}, oldest on the left: ${minute(first.interval_start)} to ${minute(last.interval_end)}`),
    body([summary, ...troubled.map(line)]));
  if (calm.length) {
    const folded = troubled.length ? `${count(calm.length, "check")} passed in every run` : `All ${count(calm.length, "check")} passed in every run`;
    made.append(element("details", {}, element("summary", {}, folded), body(calm.map(line))));
  }
  return made;
}

const remark = ({ table, latest }) => latest.outcome === "passed"
  ? table
  : `${table} · ${latest.observed}, expected ${latest.expected}`;

function overall(run) {
  const outcome = worst(run);
  const bad = run.filter((item) => item.outcome !== "passed").length;
  return { ...newest(run), outcome, text: bad ? `${count(bad, "check")} of ${run.length} did not pass` : `All ${count(run.length, "check")} passed` };
}

function cell(item) {
  if (!item) return element("span", { class: "cell", title: "Not evaluated" });
  const text = item.text ?? `${check(item)}\n${WORDS[item.outcome]}: ${item.observed}, expected ${item.expected}`;
  const title = `${text}\n${span(item.interval_start, item.interval_end)}\nRun ${item.run_id}`;
  return airflowLink(runPath(item.dag_id, item.run_id), { class: `cell ${item.outcome}`, title, "aria-label": title },
    SIGNS[item.outcome]);
}
