// Which stretch of time is looked at, and in what steps.

const [MINUTE, HOUR, DAY] = [60, 3600, 86400];
/** Hours of the ranges that end now. */
export const ranges = { '24h': 24, '7d': 7 * 24, '30d': 30 * 24 };
/** Of the busiest hours: four weeks, so that each hour of the week is there four times. */
const HEAT_DAYS = 28;

/**
 * @typedef {{ start: Date, end: Date | null, step: number, traffic: number }} Window `end` is
 *   nothing where it is now; `step` of occupancy and `traffic` of entries and exits in seconds
 */

/** The beginning of the local hour. @param {Date} when */
function hour(when) {
    const begin = new Date(when);
    begin.setMinutes(0, 0, 0);
    return begin;
}

/** The steps for a stretch of so many seconds: finer than is drawn would only cost. */
function steps(length) {
    const ladder = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY];
    const step = ladder.find((step) => length / step <= 800) ?? DAY;
    const traffic = length <= 3 * HOUR ? 5 * MINUTE : length <= 12 * HOUR ? 15 * MINUTE
        : length <= 35 * DAY ? HOUR : DAY;
    return { step, traffic };
}

/** A range that ends now. @param {string} range @param {number} now in ms @returns {Window} */
export function recent(range, now) {
    const hours = ranges[range];
    const start = hour(new Date(now - hours * HOUR * 1000));
    return { start, end: null, ...steps(hours * HOUR) };
}

/** A chosen stretch. @param {Date} start @param {Date} end @returns {Window} */
export function chosen(start, end) {
    const { step, traffic } = steps((end.getTime() - start.getTime()) / 1000);
    const begin = traffic >= HOUR ? hour(start) : start;
    return { start: begin, end, step, traffic };
}

/** The weeks of the busiest hours that belong to a window. @param {Window} window */
export function weeks({ start, end }, now) {
    const until = end ?? new Date(now);
    const begin = new Date(until.getTime() - HEAT_DAYS * DAY * 1000);
    return { start: hour(begin < start ? begin : start), end: until };
}
