// The daily reports: links, and a form that triggers the DAG sparkify_report for a day.

import { airflowLink, element, runPath } from "./dom.js";

const DAG = "sparkify_report";
const API = new URL(`../api/v2/dags/${DAG}/dagRuns`, document.baseURI);
// Polls a run every 3 s, for ten minutes at most.
const EVERY = 3e3;
const POLLS = 200;

const link = (day, text = day) => airflowLink(`sparkify/reports/${day}`, { target: "_blank" }, text);

export const list = (days) => (days.length
  ? element("ul", { class: "days" }, days.map((day) => element("li", {}, link(day))))
  : element("p", { class: "state" }, "No report has been written yet."));

// Calls `written` once a report was written.
export function activate(form, written) {
  const [input, output] = [form.querySelector("input"), form.querySelector("output")];
  const yesterday = new Date(Date.now() - 24 * 3600e3).toISOString().slice(0, 10);
  input.max = new Date().toISOString().slice(0, 10);
  input.value = yesterday;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    output.replaceChildren(...await write(input.value, output).catch((error) => [error.message]));
    button.disabled = false;
    written();
  });
}

async function write(day, output) {
  const started = await call(API, { method: "POST", body: JSON.stringify({ logical_date: null, partition_key: day }) });
  const run = airflowLink(runPath(DAG, started.dag_run_id), {}, "the run");
  output.replaceChildren("Writing the report: ", run);
  for (let poll = 0; poll < POLLS; poll += 1) {
    await new Promise((resolve) => { setTimeout(resolve, EVERY); });
    const { state } = await call(`${API}/${encodeURIComponent(started.dag_run_id)}`);
    if (state === "success") return ["Written: ", link(day, `report of ${day}`)];
    if (state === "failed") return ["The report was not written. See ", run, "."];
  }
  return ["The report is not written yet. See ", run, "."];
}

async function call(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { "Content-Type": "application/json" } });
  if (response.ok) return response.json();
  if (response.status === 403) throw new Error("Your user may not trigger the DAG sparkify_report. Ask a user who may.");
  const { detail } = await response.json().catch(() => ({}));
  const text = typeof detail === "string" ? detail : `Airflow answered with ${response.status}`;
  throw new Error(`The run was not started: ${text}`);
}
