// The days that the panels show: a preset relative to the latest loaded day, or from one day to another. They are in the
// URL, also in that of Airflow's page around this one, so that it can be shared and survives a reload.

import { count } from "./format.js";

const DAY = 24 * 3600e3;
const NAMES = ["range", "from", "to"];

const pick = (search) => {
  const given = new URLSearchParams(search);
  return new URLSearchParams(NAMES.filter((name) => given.get(name)).map((name) => [name, given.get(name)]));
};
const windows = () => (window.parent === window ? [window] : [window, window.parent]);

// The chosen days; without parameters they are the default of the server.
let chosen = windows().map((one) => pick(one.location.search)).find((found) => found.size) ?? new URLSearchParams();

// The query of a request for a panel.
export const query = () => new URLSearchParams(chosen);

export const length = ({ from, to }) => (Date.parse(to) - Date.parse(from)) / DAY + 1;
// "2018-11-03 to 2018-11-30"; null if the panel has no days.
export const text = ({ from, to }) => (!from ? null : from === to ? from : `${from} to ${to}`);

function choose(parameters) {
  chosen = new URLSearchParams(parameters);
  for (const one of windows()) {
    const url = new URL(one.location.href);
    NAMES.forEach((name) => url.searchParams.delete(name));
    chosen.forEach((value, name) => url.searchParams.set(name, value));
    one.history.replaceState(one.history.state, "", url);
  }
}

const presetOf = () => chosen.get("range") ?? (chosen.size ? null : "28d");

function showPreset(form) {
  form.querySelectorAll("[data-range]").forEach((button) =>
    button.setAttribute("aria-pressed", String(button.dataset.range === presetOf())));
}

// Calls `changed` when other days were chosen.
export function activate(form, changed) {
  const [first, last] = form.querySelectorAll("input");
  showPreset(form);
  form.querySelectorAll("[data-range]").forEach((button) => button.addEventListener("click", () => {
    choose({ range: button.dataset.range });
    showPreset(form);
    changed();
  }));
  // The browser would name its own limits.
  last.addEventListener("input", () => last.setCustomValidity(""));
  first.addEventListener("input", () => last.setCustomValidity(""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    last.setCustomValidity(first.value > last.value ? "The last day is before the first one." : "");
    if (!form.reportValidity()) return;
    choose({ from: first.value, to: last.value });
    showPreset(form);
    changed();
  });
}

// Shows which days the panels have; `shown` are those of an answer.
export function show(form, shown) {
  const said = `${text(shown)}, ${count(length(shown), "day")}`;
  const output = form.querySelector("output");
  if (output.textContent === said) return;
  output.textContent = said;
  const [first, last] = form.querySelectorAll("input");
  // What the user is entering is left alone.
  if (!form.contains(document.activeElement) || document.activeElement.tagName !== "INPUT") {
    [first.value, last.value] = [shown.from, shown.to];
  }
}
