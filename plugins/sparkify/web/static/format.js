// Formats numbers and times: 1,010,210; 2018-11-10 16:00 (UTC).

const HOUR = 3600e3;
const NUMBER = new Intl.NumberFormat("en");
const DECIMAL = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const number = (value) => NUMBER.format(value);
export const percent = (value) => `${DECIMAL.format(value)} %`;
export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

// Each takes milliseconds or a time of the API ("2018-11-10T16:00:00.000Z"). An invalid time, such as a year that JavaScript
// cannot represent, is shown unchanged.
const parts = (time) => (Number.isNaN(new Date(time).getTime()) ? [String(time), ""] : new Date(time).toISOString().split("T"));
export const day = (time) => parts(time)[0];
export const clock = (time) => parts(time)[1].slice(0, 5);
export const minute = (time) => `${day(time)} ${clock(time)}`.trim();

export const span = (start, end) => {
  if (Date.parse(end) - Date.parse(start) === 24 * HOUR && clock(start) === "00:00") return day(start);
  if (day(start) === day(end) || Date.parse(end) - Date.parse(start) === HOUR) {
    return `${minute(start)} to ${clock(end)}`;
  }
  return `${minute(start)} to ${minute(end)}`;
};

export const duration = (milliseconds) => {
  const hours = Math.round(milliseconds / HOUR);
  return hours < 48 ? count(hours, "hour") : count(Math.floor(hours / 24), "day");
};
