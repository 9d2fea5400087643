// The charts. Each function draws, or redraws, a chart in an element, from the rows of its panel.

import { element } from "./dom.js";
import { count, day, minute, number, percent } from "./format.js";
import { any } from "./lists.js";

const HOUR = 3600e3;
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));

let library;

// The library is loaded on demand, so that panels without a chart are shown first.
function loaded() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("./echarts-6.1.0.min.js", import.meta.url);
    script.onload = () => resolve(window.echarts);
    script.onerror = () => {
      library = undefined;
      reject(new Error("The chart library could not be loaded. Reload the page."));
    };
    document.head.append(script);
  });
  return library;
}

// A chart is an image: who cannot see it hears its label, and has its figures in a table that keyboards reach.
// `figures` are its label, and the columns and rows of the table; 1,500 rows are not made before they are wanted.
function describe(place, figures) {
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", figures.label);
  let details = place.parentElement.querySelector(".figures");
  if (!details) {
    details = element("details", { class: "figures" }, element("summary", {}, "Show as a table"),
      element("div", { class: "scroll", role: "region", "aria-label": "Figures of the chart", tabindex: 0 }));
    details.addEventListener("toggle", () => fill(details));
    place.after(details);
  }
  details.figures = figures;
  fill(details);
}

const fill = (details) =>
  details.lastChild.replaceChildren(...(details.open ? [any(details.figures.columns, details.figures.rows())] : []));

async function draw(place, option, figures) {
  describe(place, figures);
  const echarts = await loaded();
  const chart = echarts.getInstanceByDom(place) ?? echarts.init(place, null, { renderer: "canvas" });
  place.resizing ??= new ResizeObserver(() => echarts.getInstanceByDom(place)?.resize());
  place.resizing.observe(place);
  chart.setOption(option, true);
}

export function clear(place) {
  place.removeAttribute("role");
  place.removeAttribute("aria-label");
  place.parentElement.querySelector(".figures")?.remove();
  window.echarts?.getInstanceByDom(place)?.dispose();
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function base() {
  const text = { color: colour("muted"), fontSize: 12, fontFamily: getComputedStyle(document.body).fontFamily };
  return {
    text,
    animation: false,
    grid: { left: 4, right: 8, top: 12, bottom: 4, containLabel: true },
    tooltip: {
      confine: true,
      backgroundColor: colour("surface"),
      borderColor: colour("line"),
      textStyle: { ...text, color: colour("text") },
      axisPointer: { type: "line", lineStyle: { color: colour("muted") } },
    },
    label: { ...text, hideOverlap: true },
    axisLine: { lineStyle: { color: colour("line") } },
    splitLine: { lineStyle: { color: colour("line") } },
  };
}

// --- plays over time ---

// Maximum number of points of a chart: longer ranges are aggregated.
const MOST_POINTS = 1500;
const STEPS = [[HOUR, "hour"], [24 * HOUR, "day"], [7 * 24 * HOUR, "7 days"], [28 * 24 * HOUR, "28 days"], [364 * 24 * HOUR, "52 weeks"]];

// Fills steps without plays, which have no row, with zero. `rows` are times and plays, ordered by time, in steps of `shortest` ms.
export function everyStep(rows, shortest) {
  const times = rows.map(([time]) => Date.parse(time));
  const first = times[0];
  const span = times[times.length - 1] - first;
  const [step, name] = STEPS.find(([length]) => length >= shortest && span / length < MOST_POINTS) ?? STEPS[STEPS.length - 1];
  const plays = new Array(Math.min(Math.floor(span / step) + 1, MOST_POINTS)).fill(0);
  rows.forEach(([, value], at) => { plays[Math.min(Math.floor((times[at] - first) / step), plays.length - 1)] += value; });
  return { step, name, points: plays.map((value, at) => [first + at * step, value]) };
}

export function playsOverTime(place, rows, period) {
  const week = period === "week";
  const { step, name, points } = everyStep(rows, week ? HOUR : 24 * HOUR);
  const style = base();
  const series = points.length <= 7 * 24
    ? { type: "bar", barCategoryGap: "20%", barMaxWidth: 60, itemStyle: { color: colour("accent") } }
    : { type: "line", symbol: "none", sampling: "lttb", lineStyle: { width: 1, color: colour("accent") },
        areaStyle: { color: colour("accent"), opacity: 0.15 } };
  const from = (time) => (week ? minute(time) : step > 24 * HOUR ? `${name} from ${day(time)}` : day(time));
  const most = points.reduce((best, point) => (point[1] > best[1] ? point : best));
  const total = points.reduce((sum, point) => sum + point[1], 0);
  const last = points[points.length - 1][0];
  const title = week
    ? `Per hour, the 7 days before the latest play: ${minute(points[0][0])} to ${minute(last + HOUR)}`
    : `Per ${name}, ${day(points[0][0])} to ${day(rows[rows.length - 1][0])}`;
  draw(place, {
    ...style,
    tooltip: {
      ...style.tooltip,
      trigger: "axis",
      formatter: ([point]) => `${from(point.value[0])}<br><b>${count(point.value[1], "play")}</b>`,
    },
    xAxis: { type: "time", axisLabel: { ...style.label, formatter: week ? timeLabel : day }, axisLine: style.axisLine,
             axisTick: { show: false }, minInterval: 24 * HOUR },
    yAxis: { type: "value", axisLabel: { ...style.label, formatter: number }, splitLine: style.splitLine, minInterval: 1 },
    useUTC: true,
    series: [{ ...series, data: points }],
  }, {
    label: `Chart of plays. ${title}. ${count(total, "play")}, most (${number(most[1])}) at ${from(most[0])}`,
    columns: [week ? "Hour" : "From", "Plays"],
    rows: () => points.map(([time, plays]) => [from(time), plays]),
  });
  return title;
}

const timeLabel = (time) => day(time).slice(5);

// --- weekday by hour ---

export function playsByWeekday(place, rows) {
  const plays = new Map(rows.map(([weekday, hour, value]) => [`${weekday} ${hour}`, value]));
  const cells = [];
  for (let weekday = 1; weekday <= 7; weekday += 1) {
    for (let hour = 0; hour < 24; hour += 1) cells.push([hour, weekday - 1, plays.get(`${weekday} ${hour}`) ?? 0]);
  }
  const top = cells.reduce((best, cell) => (cell[2] > best[2] ? cell : best));
  const most = top[2];
  const style = base();
  // Cells without plays have a colour outside the scale.
  const data = cells.map((value) => (value[2] ? value : { value, visualMap: false, itemStyle: { color: colour("empty") } }));
  draw(place, {
    ...style,
    grid: { left: 4, right: 4, top: 4, bottom: 34, containLabel: true },
    tooltip: {
      ...style.tooltip,
      formatter: ({ value: [hour, weekday, value] }) =>
        `${WEEKDAYS[weekday]} ${String(hour).padStart(2, "0")}:00 to ${String(hour + 1).padStart(2, "0")}:00<br>` +
        `<b>${count(value, "play")}</b>`,
    },
    xAxis: { type: "category", data: HOURS,
             axisLabel: { ...style.label, interval: 2 }, axisLine: { show: false }, axisTick: { show: false } },
    yAxis: { type: "category", data: WEEKDAYS, inverse: true, axisLabel: style.label, axisLine: { show: false },
             axisTick: { show: false } },
    visualMap: { min: 1, max: most, orient: "horizontal", left: "center", bottom: 0, itemWidth: 10, itemHeight: 120,
                 text: [count(most, "play"), "1"], textStyle: style.text, calculable: false,
                 inRange: { color: [colour("soft"), colour("accent")] } },
    series: [{ type: "heatmap", data, itemStyle: { borderColor: colour("surface"), borderWidth: 2, borderRadius: 3 },
               emphasis: { itemStyle: { borderColor: colour("text"), borderWidth: 1 } } }],
  }, {
    label: `Heat map of plays by weekday and hour (UTC). Most on ${WEEKDAYS[top[1]]} at ${HOURS[top[0]]}:00, ${count(top[2], "play")}`,
    columns: ["Weekday", ...HOURS],
    rows: () => WEEKDAYS.map((name, at) => [name, ...cells.slice(24 * at, 24 * (at + 1)).map((cell) => cell[2])]),
  });
}

// --- level ---

// The maximum number of bars that remain distinguishable.
const LEVEL_DAYS = 90;

export function playsByLevel(place, all) {
  const rows = all.slice(-LEVEL_DAYS);
  const style = base();
  const plays = rows.reduce((sum, row) => sum + row[1], 0);
  const paid = rows.reduce((sum, row) => sum + row[2], 0);
  const which = all.length > rows.length ? `the plays of the latest ${rows.length} days` : "all plays";
  const title = `Share of plays by day; ${percent((100 * paid) / plays)} of ${which} are paid`;
  const share = rows.map(([date, plays, paid]) => [date, (100 * paid) / plays, plays, paid]);
  const bar = { type: "bar", stack: "level", barCategoryGap: "25%", barMaxWidth: 60 };
  draw(place, {
    ...style,
    grid: { ...style.grid, top: 32 },
    legend: { left: 0, top: 0, itemWidth: 10, itemHeight: 10, textStyle: style.text, data: ["Paid", "Free"] },
    tooltip: {
      ...style.tooltip,
      trigger: "axis",
      formatter: ([{ value: [date, , plays, paid] }]) =>
        `${date}<br>Paid <b>${percent((100 * paid) / plays)}</b>, ${count(paid, "play")}<br>` +
        `Free <b>${percent(100 - (100 * paid) / plays)}</b>, ${count(plays - paid, "play")}`,
    },
    xAxis: { type: "category", axisLabel: { ...style.label, formatter: (date) => date.slice(5) }, axisLine: style.axisLine,
             axisTick: { show: false } },
    yAxis: { type: "value", max: 100, interval: 25, axisLabel: { ...style.label, formatter: "{value} %" },
             splitLine: style.splitLine },
    series: [
      { ...bar, name: "Paid", data: share, itemStyle: { color: colour("accent") } },
      { ...bar, name: "Free", data: share.map(([date, paid, ...counts]) => [date, 100 - paid, ...counts]),
        itemStyle: { color: colour("free") } },
    ],
  }, {
    label: `Bar chart of paid and free plays. ${title}`,
    columns: ["Day", "Paid", "Free", "Share of paid"],
    rows: () => rows.map(([date, of_day, of_paid]) => [date, of_paid, of_day - of_paid, percent((100 * of_paid) / of_day)]),
  });
  return title;
}
