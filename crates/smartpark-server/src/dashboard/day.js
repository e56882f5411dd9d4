// What a day's chart shows: pure functions of a day, the count now and the forecast.

/** @typedef {import('./today.js').Today} Today */

const QUARTER = 900_000;
const HOUR = 4 * QUARTER;
/** So little of the slots, and the floor counts as empty when the chart's hours are chosen. */
const EMPTY = 0.04;
/** A chart shows at least so many hours. */
const LEAST_HOURS = 8;

/** The hours of a day that a chart shows, in ms: those with cars, and one before and after. */
export function shownHours(day, present) {
    const [start, end] = [Date.parse(day.start), Date.parse(day.end)];
    const most = day.steps.map((step) => Math.max(step.high ?? 0, step.vehicles ?? 0));
    const least = Math.min(...most);
    const isBusy = (vehicles) => vehicles > least + EMPTY * day.total_slots;
    const first = most.findIndex(isBusy);
    if (first < 0 || day.usual_days < 2) return { from: start, until: end };
    const last = most.findLastIndex(isBusy);
    const time = (index) => Date.parse(day.steps[index].at);
    const whole = (when, round) => start + round((when - start) / HOUR) * HOUR;
    let from = whole(Math.min(time(first), present) - HOUR, Math.floor);
    let until = whole(Math.max(time(last) + QUARTER, present) + HOUR, Math.ceil);
    from = Math.max(start, Math.min(from, until - LEAST_HOURS * HOUR));
    until = Math.min(end, Math.max(until, from + LEAST_HOURS * HOUR));
    return { from, until };
}

/** Whole hours to name below a chart, as far apart as there is room for.
 *  @param {{ from: number, until: number }} span @param {(when: number) => number} hourOf local
 *  @param {number} most so many at most */
export function ticks({ from, until }, hourOf, most) {
    const every = [1, 2, 3, 4, 6, 12].find((hours) => (until - from) / HOUR / hours < most) ?? 24;
    const all = [];
    for (let when = from; when <= until; when += HOUR) {
        if (hourOf(when) % every === 0) all.push(when);
    }
    return all;
}

/** The counts of today as steps: `[when, vehicles]`, from the day's quarters, the changes of the
 *  last hour and the count now. */
export function counts(day, recent, present, count) {
    const begin = recent?.[0]?.[0] ?? Infinity;
    const quarters = day.steps.filter((step) => step.vehicles !== null)
        .map((step) => [Date.parse(step.at), step.vehicles])
        .filter(([when]) => when < begin && when <= present);
    const start = Date.parse(day.start);
    const late = (recent ?? []).filter(([when]) => when >= start && when <= present);
    return [...quarters, ...late, [present, count]];
}

/** How the count now lies in what is usual: 'usual', 'fuller', 'emptier'; null without a band. */
export function standing(day, present, count) {
    const place = day.steps.findLastIndex((step) => Date.parse(step.at) <= present);
    const near = day.steps.slice(Math.max(0, place), place + 2).filter((step) => step.low !== null);
    if (!near.length) return null;
    const low = Math.min(...near.map((step) => step.low));
    const high = Math.max(...near.map((step) => step.high));
    // One car, or one of twenty slots, makes no other day.
    const slack = Math.max(1, day.total_slots / 20);
    if (count > high + slack) return 'fuller';
    return count < low - slack ? 'emptier' : 'usual';
}

/** When a forecast reaches all slots today: the middle, and from when until when it may.
 *  @param {import('./estimates.js').Forecast | undefined} forecast
 *  @returns {{ at: number | null, from: number, until: number | null } | null} */
export function fullSpan(forecast, slots, present, end) {
    if (!forecast || slots <= 0) return null;
    const ahead = forecast.steps.map((step) => ({ ...step, when: Date.parse(step.at) }))
        .filter(({ when }) => when > present && when <= end);
    const first = (of) => ahead.find((step) => of(step) >= slots)?.when ?? null;
    const from = first((step) => step.high);
    if (from === null) return null;
    return { from, at: first((step) => Math.round(step.vehicles)), until: first((s) => s.low) };
}

/** When the first slots come free again on a usual day of a full site; null if unknown. */
export function usuallyFreeAt(day, present) {
    const until = day?.usually_full ? Date.parse(day.usually_full.until) : 0;
    return until > present ? until : null;
}
