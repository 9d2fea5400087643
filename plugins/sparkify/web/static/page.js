// The warehouse page: fetches and shows each panel independently. It polls Airflow, and reloads the panels only after a run
// has ended: an open page alone does not keep the warehouse awake.

import * as alerts from "./alerts.js";
import * as charts from "./charts.js";
import * as days from "./days.js";
import * as dictionary from "./dictionary.js";
import { element } from "./dom.js";
import { clock } from "./format.js";
import * as lists from "./lists.js";
import * as problems from "./problems.js";
import * as quality from "./quality.js";
import * as reports from "./reports.js";
import * as retention from "./retention.js";
import * as source from "./source.js";

// Polls Airflow every 60 s while the page is visible.
const EVERY = 60e3;

const answers = new Map();
// The latest response of api/loads, and the error if it failed.
let loads = {};
let trouble = null;
// The latest response of api/dictionary.
let described = null;
// Further data for a panel's rows: the declarations of the checks, if one did not pass; Airflow's state of the runs that
// rejected rows.
const besides = {
  quality: { url: (answer) => (quality.isTroubled(answer) ? "api/checks" : null), found: [] },
  rejected_rows: { url: ({ rows }) => (rows.length ? `api/staging?${lists.runs(rows)}` : null), found: {} },
};
// Whether the panels without an element in index.html have been added.
let placed = false;

const place = (name) => document.querySelector(`[data-panel="${name}"]`);
const daysForm = document.getElementById("days");
const body = (name) => place(name).querySelector(".body");
const note = (name, text) => { place(name).querySelector(".note").textContent = text; };

// Plays are shown by hour if there are at most as many days.
const HOURLY_DAYS = 14;
const isHourly = (answer) => !answer.from || days.length(answer) <= HOURLY_DAYS;
const NO_PLAYS = "No plays";

// The views of the panels with an element in index.html; any other is a table at the end of the page, see `placeOthers`.
// `empty` is the text for a panel without rows; a view with `needed` is hidden unless that returns true.
const VIEWS = [
  { panel: "freshness", show: (at, { rows }) => at.replaceChildren(...lists.freshness(rows, loads)) },
  { panel: "plays_by_day", place: "totals",
    show: (at, answer) => at.replaceChildren(...lists.totals(answer.rows, days.text(answer), answers.get("tables")?.rows)) },
  { panel: "users_by_level", show: (at, { rows }) => at.replaceChildren(...lists.users(rows)) },
  { panel: "quality", place: "quality_now", empty: "No check has been evaluated yet.",
    show: (at, { columns, rows }) => at.replaceChildren(...quality.now(columns, rows)) },
  { panel: "quality", place: "failed_checks", needed: quality.isTroubled,
    show: (at, { columns, rows }) => at.replaceChildren(...quality.problems(columns, rows, besides.quality.found)) },
  { panel: "plays_by_hour", empty: NO_PLAYS, when: isHourly,
    show: (at, { rows }) => note("plays_by_hour", charts.playsOverTime(at, rows, true)) },
  { panel: "plays_by_day", place: "plays_by_hour", empty: NO_PLAYS, when: (answer) => !isHourly(answer),
    show: (at, { rows }) => note("plays_by_hour", charts.playsOverTime(at, rows, false)) },
  { panel: "paid_share", empty: NO_PLAYS, show: (at, { rows }) => note("paid_share", charts.paidShare(at, rows)) },
  { panel: "active_users", empty: "No active users",
    show: (at, answer) => note("active_users", charts.activeUsers(at, answer.rows, answer)) },
  { panel: "conversions", empty: "No activity", show: (at, { rows }) => note("conversions", charts.conversions(at, rows)) },
  { panel: "retention", empty: "No active users",
    show: (at, { rows }) => {
      note("retention", retention.note(rows));
      at.replaceChildren(retention.triangle(rows));
    } },
  { panel: "tables", show: (at, { rows }) => at.replaceChildren(lists.tables(rows)) },
  { panel: "plays_by_weekday", empty: NO_PLAYS, show: (at, { rows }) => charts.playsByWeekday(at, rows) },
  { panel: "top_songs", empty: NO_PLAYS, show: (at, { rows }) => at.replaceChildren(lists.songs(rows)) },
  { panel: "top_artists", empty: NO_PLAYS, show: (at, { rows }) => at.replaceChildren(lists.artists(rows)) },
  { panel: "browsers", empty: NO_PLAYS, show: (at, { rows }) => at.replaceChildren(lists.browsers(rows)) },
  { panel: "source_files", empty: "No files have been staged yet.",
    show: (at, { columns, rows }) => {
      // A poll without news leaves alone what the user has unfolded or focused.
      const shown = JSON.stringify([rows, loads.reconciliation, loads.is_paused]);
      if (at.dataset.shown === shown && at.childElementCount) return;
      at.dataset.shown = shown;
      note("source_files", source.note(loads));
      at.replaceChildren(...source.sources(columns, rows, loads));
    } },
  { panel: "quality", empty: "No check has been evaluated yet. The last task of each run evaluates them.",
    show: (at, { columns, rows }) => {
      at.replaceChildren(...quality.history(columns, rows));
      // If it does not fit, show the latest runs.
      at.querySelectorAll(".scroll").forEach((part) => { part.scrollLeft = part.scrollWidth; });
    } },
  { panel: "rejected_rows", empty: "None: COPY loaded every row of the currently staged files.",
    show: (at, { rows }) => {
      note("rejected_rows", lists.rejectedNote(rows));
      at.replaceChildren(lists.rejected(rows, besides.rejected_rows.found));
    } },
];
// The version of a panel's data; some change more often than the others.
const versionOf = (panel) => loads.versions?.[panel] ?? loads.version;
const panels = () => [...new Set(VIEWS.map((view) => view.panel))];

async function ask(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (response.ok) return response.json();
  if (response.status === 401) return { error: "You are not logged in to Airflow any more. Log in, then reload.", all: true };
  const { detail, kind } = await response.json().catch(() => ({}));
  const error = detail ?? `Airflow responded with HTTP ${response.status}. See the log of the API server.`;
  // These errors affect all panels: they are shown once, in the banner.
  return { error, kind, all: ["unreachable", "empty", "days"].includes(kind) };
}

const get = (url) => ask(url).catch(() => ({ error: "Airflow does not respond. Check that its API server is running.", all: true }));

function state(at, text) {
  charts.clear(at);
  at.replaceChildren(element("p", { class: "state" }, text));
}

// A sentence is complete; other texts end with the days, or with "yet".
const emptyText = (words, answer) => (words.endsWith(".") ? words : answer.from ? `${words} from ${answer.from} to ${answer.to}.` : `${words} yet.`);

function render(panel) {
  const answer = answers.get(panel);
  if (!answer) return;
  for (const view of VIEWS.filter((item) => item.panel === panel && (item.when?.(answer) ?? true))) {
    const at = body(view.place ?? panel);
    at.classList.remove("loading");
    if (view.needed) {
      const needed = !answer.error && view.needed(answer);
      place(view.place).hidden = !needed;
      if (!needed) continue;
    }
    if (answer.error) state(at, answer.all ? "Not available" : answer.error);
    else if (view.empty && !answer.rows.length) state(at, emptyText(view.empty, answer));
    else {
      at.querySelector(".state")?.remove();
      view.show(at, answer);
    }
  }
}

function updateHeader() {
  const common = trouble ?? [...answers.values()].find((answer) => answer.all);
  const failed = (loads.failures ?? []).filter(problems.isFailed);
  const said = [[problems.sentence(failed), "failed", "#failures"], [common?.error, "unavailable"]].filter(([text]) => text);
  // What is announced is announced once: the same text stays.
  const banner = document.getElementById("banner");
  if (banner.dataset.said !== JSON.stringify(said)) {
    banner.dataset.said = JSON.stringify(said);
    banner.replaceChildren(...said.map(([text, kind, href]) =>
      element("p", { class: kind }, href ? element("a", { href }, text) : text)));
  }
  const times = [...answers.values()].flatMap((answer) => answer.as_of ?? []).sort();
  document.getElementById("as-of").textContent = times.length ? `As of ${clock(times[0])}.` : "";
}

function showFailures() {
  const panel = document.getElementById("failures");
  const { failures } = loads;
  // A poll without news leaves alone what the user has unfolded or focused.
  if (panel.dataset.shown === JSON.stringify(failures)) return;
  panel.dataset.shown = JSON.stringify(failures);
  panel.hidden = !failures.length;
  panel.querySelector(".body").replaceChildren(...problems.failures(failures));
}

async function showReports(reload) {
  const at = document.querySelector("#reports .body");
  const found = await get(`api/reports${reload ? "?reload=true" : ""}`);
  at.classList.remove("loading");
  if (found.error) state(at, found.all ? "Not available" : found.error);
  else at.replaceChildren(reports.list(found.days));
}

function renderDictionary() {
  if (!described) return;
  const at = document.querySelector("#dictionary .body");
  at.classList.remove("loading");
  if (described.error) {
    state(at, described.all ? "Not available" : described.error);
    at.dataset.shown = "";
    return;
  }
  const rows = answers.get("tables")?.rows?.map(([name, value, , , estimated]) => [name, lists.rowCount(value, estimated)]) ?? [];
  // The same text leaves alone what the user has selected or focused.
  const shown = JSON.stringify([described.tables, rows]);
  if (at.dataset.shown === shown) return;
  at.dataset.shown = shown;
  const open = new Set([...at.querySelectorAll("details[open]")].map((entry) => entry.dataset.table));
  at.replaceChildren(...dictionary.tables(described.tables, new Map(rows), open));
}

async function showDictionary() {
  described = await get("api/dictionary");
  renderDictionary();
}

// Adds the panels that are not in VIEWS, and the definitions of the metrics of each; returns false if Airflow did not list
// the panels.
async function placeOthers() {
  const found = await get("api/panels");
  if (found.error) return false;
  const known = new Set([...panels(), "loaded_days"]);
  for (const { name, title, note: text } of found.filter((panel) => !known.has(panel.name))) {
    document.querySelector(".grid").append(element("section", { class: "panel", "data-panel": name },
      element("h2", {}, title), element("p", { class: "note" }, text), element("div", { class: "body loading" })));
    VIEWS.push({ panel: name, empty: "No rows yet.",
      show: (at, { columns, rows }) => at.replaceChildren(lists.any(columns, rows)) });
  }
  for (const { name, metrics } of found) {
    const at = place(name);
    at?.querySelector(".metrics")?.remove();
    if (at && metrics?.length) at.append(lists.definitions(metrics));
  }
  return true;
}

async function load(panel, reload) {
  const query = days.query();
  const asked = `${query}`;
  if (reload) query.set("reload", "true");
  const answer = await get(`api/panels/${panel}${query.size ? `?${query}` : ""}`);
  // These errors persist until a run has loaded data; any other panel with an error is requested again.
  const settled = !answer.error || ["empty", "missing", "slow", "refused", "days"].includes(answer.kind);
  const url = answer.error ? null : besides[panel]?.url(answer);
  if (url) besides[panel].found = await get(url);
  if (asked !== `${days.query()}`) return; // other days were chosen since
  answers.set(panel, { version: settled ? versionOf(panel) : null, ...answer });
  place(panel)?.removeAttribute("aria-busy");
  if (answer.from) days.show(daysForm, answer);
  render(panel);
  if (panel === "tables") {
    renderDictionary();
    render("plays_by_day"); // it says how many plays have invalid timestamps
  }
  updateHeader();
}

// Loads the panels that have days; they show the former ones until then.
function changeDays() {
  const due = panels().filter((panel) => answers.get(panel)?.from || answers.get(panel)?.kind === "days" || !answers.has(panel));
  due.forEach((panel) => place(panel)?.setAttribute("aria-busy", "true"));
  return Promise.all(due.map((panel) => load(panel, false)));
}

async function refresh(reload = false) {
  const found = await get("api/loads");
  trouble = found.error ? found : null;
  if (reload || trouble || loads.version !== found.version) {
    showReports(reload);
    showDictionary();
  }
  if (trouble) {
    // Keep what is shown; the banner has the error.
    panels().filter((panel) => !answers.has(panel)).forEach((panel) => {
      answers.set(panel, { version: null, ...trouble });
      render(panel);
    });
    updateHeader();
    return;
  }
  loads = found;
  showFailures();
  if (reload || !placed) placed = await placeOthers();
  ["freshness", "source_files"].forEach(render); // they show the state of the DAGs, and the time
  updateHeader();
  const due = panels().filter((panel) => reload || answers.get(panel)?.version !== versionOf(panel));
  await Promise.all(due.map((panel) => load(panel, reload)));
}

// --- Airflow's theme, light or dark, from the local storage that this page shares ---

const system = window.matchMedia("(prefers-color-scheme: dark)");

function applyTheme() {
  const chosen = localStorage.getItem("theme") ?? "system";
  const dark = chosen === "system" ? system.matches : chosen === "dark";
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  panels().forEach(render);
}

window.addEventListener("storage", applyTheme);
system.addEventListener("change", applyTheme);

document.getElementById("reload").addEventListener("click", () => refresh(true));
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
setInterval(() => document.visibilityState === "visible" && refresh(), EVERY);

days.activate(daysForm, changeDays);
alerts.activate(document.querySelector("#alert-test"));
reports.activate(document.querySelector("#reports form"), () => showReports(true));
applyTheme();
refresh();
