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
export function everyStep(rows, shortest, most = MOST_POINTS) {
  const times = rows.map(([time]) => Date.parse(time));
  const first = times[0];
  const span = times[times.length - 1] - first;
  const [step, name] = STEPS.find(([length]) => length >= shortest && span / length < most) ?? STEPS[STEPS.length - 1];
  const plays = new Array(Math.min(Math.floor(span / step) + 1, MOST_POINTS)).fill(0);
  rows.forEach(([, value], at) => { plays[Math.min(Math.floor((times[at] - first) / step), plays.length - 1)] += value; });
  return { step, name, points: plays.map((value, at) => [first + at * step, value]) };
}

export function playsOverTime(place, rows, hourly) {
  const { step, name, points } = everyStep(rows, hourly ? HOUR : 24 * HOUR);
  const style = base();
  const series = points.length <= 7 * 24
    ? { type: "bar", barCategoryGap: "20%", barMaxWidth: 60, itemStyle: { color: colour("accent") } }
    : { type: "line", symbol: "none", sampling: "lttb", lineStyle: { width: 1, color: colour("accent") },
        areaStyle: { color: colour("accent"), opacity: 0.15 } };
  const from = (time) => startOf(time, step, name);
  const most = points.reduce((best, point) => (point[1] > best[1] ? point : best));
  const total = points.reduce((sum, point) => sum + point[1], 0);
  const last = points[points.length - 1][0];
  const title = step === HOUR
    ? `Per hour, ${minute(points[0][0])} to ${minute(last + HOUR)}`
    : `Per ${name}, ${day(points[0][0])} to ${day(rows[rows.length - 1][0])}`;
  draw(place, {
    ...style,
    tooltip: {
      ...style.tooltip,
      trigger: "axis",
      formatter: ([point]) => `${from(point.value[0])}<br><b>${count(point.value[1], "play")}</b>`,
    },
    xAxis: { type: "time", axisLabel: { ...style.label, formatter: dayLabel(points) }, axisLine: style.axisLine,
             axisTick: { show: false }, minInterval: 24 * HOUR },
    yAxis: { type: "value", axisLabel: { ...style.label, formatter: number }, splitLine: style.splitLine, minInterval: 1 },
    useUTC: true,
    series: [{ ...series, data: points }],
  }, {
    label: `Chart of plays. ${title}. ${count(total, "play")}, most (${number(most[1])}) at ${from(most[0])}`,
    columns: [hourly ? "Hour" : "From", "Plays"],
    rows: () => points.map(([time, plays]) => [from(time), plays]),
  });
  return title;
}

// A point of a chart, by its length.
const startOf = (time, step, name) => (step === HOUR ? minute(time) : step > 24 * HOUR ? `${name} from ${day(time)}` : day(time));
// Days on an axis: without the year if it is obvious.
const dayLabel = (points) => {
  const year = (time) => day(time).slice(0, 4);
  return year(points[0][0]) === year(points.at(-1)[0]) ? (time) => day(time).slice(5) : day;
};

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

// --- lines and bars by day ---

// Points of a line that are marked: with more, the marks would hide it.
const MOST_MARKS = 31;

// The option of a chart by day, with a legend.
function byDay(style, points) {
  return {
    ...style,
    grid: { ...style.grid, top: 32 },
    legend: { left: 0, top: 0, itemWidth: 14, itemHeight: 8, itemGap: 12, textStyle: style.text },
    xAxis: { type: "time", axisLabel: { ...style.label, formatter: dayLabel(points) }, axisLine: style.axisLine,
             axisTick: { show: false }, minInterval: 24 * HOUR },
    useUTC: true,
  };
}

const line = (name, tone, data) => ({
  type: "line", name, data, symbol: "circle", symbolSize: 5, showSymbol: data.length <= MOST_MARKS,
  lineStyle: { width: 1.5, color: colour(tone) }, itemStyle: { color: colour(tone) },
});

// `all` are day, percent of plays, percent of listeners, paid plays, plays, paid listeners, listeners; the latest first.
export function paidShare(place, all) {
  const rows = all.toReversed();
  const style = base();
  const total = (at) => rows.reduce((sum, row) => sum + row[at], 0);
  const title = `Paid share by day; ${percent((100 * total(3)) / total(4))} of all plays`;
  const points = rows.map((row) => [Date.parse(row[0]), ...row.slice(1)]);
  draw(place, {
    ...byDay(style, points),
    tooltip: {
      ...style.tooltip,
      trigger: "axis",
      formatter: ([{ value: [time, ofPlays, ofListeners, paidPlays, plays, paidListeners, listeners] }]) =>
        `${day(time)}<br>Paid plays <b>${percent(ofPlays)}</b>, ${number(paidPlays)} of ${number(plays)}<br>` +
        `Paid listeners <b>${percent(ofListeners)}</b>, ${number(paidListeners)} of ${number(listeners)}`,
    },
    yAxis: { type: "value", min: 0, max: 100, interval: 25, axisLabel: { ...style.label, formatter: "{value} %" },
             splitLine: style.splitLine },
    series: [
      { ...line("Plays", "accent", points), areaStyle: { color: colour("accent"), opacity: 0.12 } },
      { ...line("Listeners", "second", points), encode: { x: 0, y: 2 } },
    ],
  }, {
    label: `Line chart of the paid share of plays and listeners. ${title}`,
    columns: ["Day", "Paid share of plays", "Paid share of listeners", "Paid plays", "Plays", "Paid listeners", "Listeners"],
    rows: () => rows.map(([date, ofPlays, ofListeners, ...counts]) => [date, percent(ofPlays), percent(ofListeners), ...counts]),
  });
  return title;
}

const UNITS = [["month", "Monthly", "third"], ["week", "Weekly", "second"], ["day", "Daily", "accent"]];
const nextMonth = (time) => Date.UTC(new Date(time).getUTCFullYear(), new Date(time).getUTCMonth() + 1);
const endOf = { day: (time) => time + 24 * HOUR, week: (time) => time + 7 * 24 * HOUR, month: nextMonth };

// Fills days without users, which have no row, with zero. Distinct users cannot be added to longer steps.
const everyDay = (days) => days.flatMap((item, at) => {
  const gap = at ? Math.round((item[0] - days[at - 1][0]) / (24 * HOUR)) - 1 : 0;
  return [...Array.from({ length: gap }, (_, number) => [days[at - 1][0] + (number + 1) * 24 * HOUR, 0]), item];
});

// Rows are unit, first day, users. Weeks and months are steps from their first to their last day, as far as it is shown.
export function activeUsers(place, rows, { from, to }) {
  const style = base();
  const of = (unit) => rows.filter(([name]) => name === unit).map(([, first, users]) => [Date.parse(first), users]).reverse();
  const days = everyDay(of("day"));
  const [start, end] = [Date.parse(from ?? day(days[0]?.[0] ?? 0)), Date.parse(to ?? day(days.at(-1)?.[0] ?? 0))];
  const steps = (unit) => {
    const points = of(unit).map(([time, users]) => [Math.max(time, start), users]);
    return points.length ? [...points, [end, points.at(-1)[1]]] : [];
  };
  const mean = Math.round(days.reduce((sum, [, users]) => sum + users, 0) / days.length);
  const title = `Users with an event: ${number(mean)} on an average day. Weeks from Monday and months are whole; the latest may not be over yet`;
  const named = { day, week: (time) => `week from ${day(time)}`, month: (time) => day(time).slice(0, 7) };
  draw(place, {
    ...byDay(style, [[start], [end]]),
    tooltip: {
      ...style.tooltip,
      trigger: "axis",
      formatter: ([{ axisValue }]) => UNITS.toReversed().flatMap(([unit, name]) => {
        const found = of(unit).find(([time]) => time <= axisValue && axisValue < endOf[unit](time));
        return found ? [`${name} <b>${number(found[1])}</b> (${named[unit](found[0])})`] : [];
      }).join("<br>"),
    },
    legend: { ...byDay(style, [[start], [end]]).legend, data: UNITS.toReversed().map(([, name]) => name) },
    yAxis: { type: "value", min: 0, minInterval: 1, axisLabel: { ...style.label, formatter: number }, splitLine: style.splitLine },
    series: UNITS.map(([unit, name, tone]) => (unit === "day"
      ? { ...line(name, tone, days), areaStyle: { color: colour(tone), opacity: 0.12 } }
      : { ...line(name, tone, steps(unit)), step: "end", showSymbol: false })),
  }, {
    label: `Line chart of daily, weekly and monthly active users. ${title}`,
    columns: ["Period", "Active users"],
    rows: () => UNITS.toReversed().flatMap(([unit]) => of(unit).map(([time, users]) => [named[unit](time), users])),
  });
  return title;
}

// Bars that remain distinguishable.
const MOST_BARS = 62;
// Those that leave are below the axis.
const CHANGES = [["Sign-ups", "accent", 1], ["Upgrades", "good", 1], ["Downgrades", "warn", -1], ["Cancellations", "bad", -1]];

// `all` are day, sign-ups, upgrades, downgrades, cancellations and conversion rate; the latest first.
export function conversions(place, all) {
  const rows = all.toReversed();
  const style = base();
  const bins = CHANGES.map((_, at) => everyStep(rows.map((row) => [row[0], row[1 + at]]), 24 * HOUR, MOST_BARS));
  const { step, name } = bins[0];
  const sums = CHANGES.map(([words], at) => count(rows.reduce((sum, row) => sum + row[1 + at], 0), words.toLowerCase().slice(0, -1)));
  const title = `Per ${name}: ${sums.join(", ")}`;
  const rates = new Map(rows.map((row) => [Date.parse(row[0]), row[5]]));
  draw(place, {
    ...byDay(style, bins[0].points),
    grid: { ...style.grid, top: 52 }, // in a narrow panel the legend has two lines
    tooltip: {
      ...style.tooltip,
      trigger: "axis",
      formatter: (points) => [
        startOf(points[0].value[0], step, name),
        ...points.map(({ seriesName, value }) => `${seriesName} <b>${number(Math.abs(value[1]))}</b>`),
        ...(step === 24 * HOUR && rates.get(points[0].value[0]) != null ? [`Conversion rate ${percent(rates.get(points[0].value[0]))}`] : []),
      ].join("<br>"),
    },
    yAxis: { type: "value", minInterval: 1, axisLabel: { ...style.label, formatter: (value) => number(Math.abs(value)) },
             splitLine: style.splitLine },
    series: CHANGES.map(([words, tone, sign], at) => ({
      type: "bar", name: words, stack: "changes", barCategoryGap: "25%", barMaxWidth: 40, itemStyle: { color: colour(tone) },
      data: bins[at].points.map(([time, value]) => [time, sign * value]),
    })),
  }, {
    label: `Bar chart of sign-ups, upgrades, downgrades and cancellations. ${title}`,
    columns: ["From", ...CHANGES.map(([words]) => words), ...(step === 24 * HOUR ? ["Conversion rate"] : [])],
    rows: () => bins[0].points.map(([time], at) => [startOf(time, step, name), ...bins.map(({ points }) => points[at][1]),
      ...(step === 24 * HOUR ? [rates.get(time) == null ? null : percent(rates.get(time))] : [])]),
  });
  return title;
}
