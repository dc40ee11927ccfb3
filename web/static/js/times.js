// Writes times as the reader does: how long ago, else the date, in the zone that was chosen or the browser's own.
// The same patterns are in web/i18n/formats.py.

import { $$, locale, messages } from "./dom.js";

const root = document.documentElement;
const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const chosenZone = root.dataset.zone;
/** The reader's zone: that of the settings, else the browser's. */
export const timeZone = chosenZone || ownZone;

const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const week = 604800;
const format = (options) => new Intl.DateTimeFormat(locale, { timeZone, ...options });
const exact = format({ dateStyle: "medium", timeStyle: "short" });
const named = format({ year: "numeric", month: "short", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short" });
const day = format({ month: "short", day: "numeric" });
const dayAndYear = format({ year: "numeric", month: "short", day: "numeric" });
const year = format({ year: "numeric" });
const durations = Object.fromEntries(
  units.map(([unit]) => [unit, new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" })]),
);

const before = new Intl.RelativeTimeFormat(locale, { style: "short" });

/** How long ago that was; `length` is "long" where the word "ago" belongs to it. */
function ago(at, length) {
  const seconds = Math.floor((Date.now() - at) / 1000);
  if (seconds >= week) return (year.format(at) === year.format(new Date()) ? day : dayAndYear).format(at);
  const unit = units.find(([, size]) => seconds >= size);
  if (!unit) return messages.now;
  const count = Math.floor(seconds / unit[1]);
  return length === "long" ? before.format(-count, unit[0]) : durations[unit[0]].format(count);
}

export function updateTimes(within = document) {
  for (const time of $$("time[datetime]", within)) {
    const at = new Date(time.dateTime);
    if (!time.title) time.title = named.format(at);
    const text = "ago" in time.dataset ? ago(at, time.dataset.ago) : exact.format(at);
    if (time.textContent !== text) time.textContent = text;
  }
}
setInterval(updateTimes, 60000);

// Who is signed in and has chosen no zone gets pages in that of the browser.
if (chosenZone === "" && ownZone && !document.cookie.includes(`tintype_zone=${encodeURIComponent(ownZone)}`)) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `tintype_zone=${encodeURIComponent(ownZone)}; path=/; max-age=31536000; samesite=lax${secure}`;
}
