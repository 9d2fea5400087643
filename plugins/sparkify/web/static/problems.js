// What failed and what to do about it: tasks, according to Airflow.

import { airflowLink, element, inline, runPath, taskPath } from "./dom.js";
import { count, minute, span } from "./format.js";

// Failures of a task that are shown unfolded.
const SHOWN = 5;

export const isFailed = (item) => item.state === "failed";
const name = (item) => item.task_id ?? item.dag_id;
const interval = (item) => (item.start && item.end ? span(item.start, item.end) : null);

// "1 task failed: stage_events, 2018-11-01 14:00 to 15:00"; null if there is none. `items` are newest first.
export function sentence(items, words = ["task failed", "tasks failed"]) {
  if (!items.length) return null;
  const latest = [name(items[0]), interval(items[0])].filter(Boolean).join(", ");
  return `${count(items.length, ...words)}${items.length > 1 ? ", the latest" : ""}: ${latest}`;
}

export const status = (items) => {
  const failed = sentence(items.filter(isFailed));
  if (failed) return [failed, "bad"];
  const retrying = sentence(items.filter((item) => !isFailed(item)), ["task is retrying", "tasks are retrying"]);
  return retrying ? [retrying, "warn"] : null;
};

// A task and its failures, the latest first.
export function failures(items) {
  const groups = new Map();
  for (const item of items) {
    const key = `${item.dag_id} ${item.task_id}`;
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()].map((group) => {
    const [latest] = group;
    const lines = group.map(line);
    return element("article", { class: "problem" },
      element("h3", { class: group.some(isFailed) ? "bad" : "warn" }, latest.task_id ?? "Run failed", " ",
        airflowLink(`dags/${encodeURIComponent(latest.dag_id)}`, { class: "of" }, latest.dag_id)),
      element("p", {}, inline(capital(latest.remedy))),
      element("ul", {}, lines.slice(0, SHOWN)),
      lines.length > SHOWN
        ? element("details", {}, element("summary", {}, `${lines.length - SHOWN} more`), element("ul", {}, lines.slice(SHOWN)))
        : null);
  });
}

const line = (item) => element("li", {},
  element("strong", {}, interval(item) ?? "No interval"),
  `${isFailed(item) ? "failed" : "retrying, failed"} at ${minute(item.failed_at)}`,
  item.task_id ? airflowLink(taskPath(item), {}, "Log") : null,
  airflowLink(runPath(item.dag_id, item.run_id), {}, `Run ${item.run_id}`));

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
