// Retention: a heat map of cohorts by age in weeks. It is a table, so that its figures are read without the colours.

import { element } from "./dom.js";
import { count, number, percent } from "./format.js";

// The share of the accent colour at 100 %: text stays readable on it, in light and dark mode.
const MOST = 55;

// Rows are cohort_week, age, percent_of_users, cohort_size.
export function note(rows) {
  const next = rows.filter(([, age]) => age === 1);
  const users = next.reduce((sum, [, , , size]) => sum + size, 0);
  const returned = next.reduce((sum, [, , share, size]) => sum + (share * size) / 100, 0);
  const text = "Users by the week of their first active day, and the share of them who were active in the weeks after it.";
  return users ? `${text} ${percent((100 * returned) / users)} returned in the next week.` : text;
}

export function triangle(rows) {
  const cohorts = Map.groupBy(rows, ([week]) => week);
  const last = Math.max(...rows.map(([, age]) => age));
  const ages = Array.from({ length: last + 1 }, (_, age) => age);
  const cell = (share) => (share === undefined ? element("td", {}) : element("td", {
    class: "share", style: `--share: ${Math.round((MOST * share) / 100)}%`,
  }, share === 100 ? "100" : share.toFixed(1)));
  return element("div", { class: "scroll retention", role: "region", "aria-label": "Retention by cohort", tabindex: 0 },
    element("table", { "aria-label": "Share of the users of a week who were active in the weeks after it, in percent" },
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, "Week from"), element("th", { scope: "col", class: "number" }, "Users"),
        ages.map((age) => element("th", { scope: "col", class: "number", "aria-label": count(age, "week") + " later" }, age ? `+${age}` : "0 (%)")))),
      element("tbody", {}, [...cohorts].map(([week, items]) => {
        const shares = new Map(items.map(([, age, share]) => [age, share]));
        return element("tr", {}, element("th", { scope: "row" }, week), element("td", { class: "number" }, number(items[0][3])),
          ages.map((age) => cell(shares.get(age))));
      }))));
}
