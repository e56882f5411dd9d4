// The rows of the log: events and the changes of people in one order of time, under their hours.
// Pure.

const HOUR = 3_600_000;

/** @typedef {import('./state.js').ParkEvent} ParkEvent */
/** @typedef {import('./changes.js').Change} Change */
/** @typedef {{ kind: 'hour', start: number, entries: number, exits: number, changes: number }
 *   | { kind: 'event', event: ParkEvent } | { kind: 'change', change: Change }} Row */

const time = (of) => Date.parse(of.timestamp);

/** Whether a filter lets changes of people pass: they have no camera, track, vehicle or direction.
 *  @param {import('./log.js').Filter} filter @param {Change} change */
export function fitsChange(filter, change) {
    const { camera_id: camera, track_id: track, vehicle_type: vehicle, direction } = filter;
    if (camera || track || vehicle || direction || filter.at_limit) return false;
    if (filter.floor_id && String(change.floor_id) !== filter.floor_id) return false;
    const when = time(change);
    if (filter.start && when < Date.parse(filter.start)) return false;
    return !(filter.end && when >= Date.parse(filter.end));
}

/**
 * @param {ParkEvent[]} events of a page, the newest first
 * @param {Change[]} changes that fit @param {{ isFirst: boolean, hasOlder: boolean }} page
 * @returns {Row[]} the newest first
 */
export function logRows(events, changes, { isFirst, hasOlder }) {
    const newest = isFirst || !events.length ? Infinity : time(events[0]);
    const oldest = hasOlder && events.length ? time(events.at(-1)) : -Infinity;
    const within = changes.filter((change) => time(change) <= newest && time(change) > oldest);
    /** @type {{ row: Row, when: number, counts: 'entries' | 'exits' | 'changes' }[]} */
    const all = [];
    for (const event of events) {
        const counts = event.direction === 'entry' ? 'entries' : 'exits';
        all.push({ row: { kind: 'event', event }, when: time(event), counts });
    }
    for (const change of within) {
        all.push({ row: { kind: 'change', change }, when: time(change), counts: 'changes' });
    }
    all.sort((a, b) => b.when - a.when);
    /** @type {Row[]} */
    const rows = [];
    /** @type {Row & { kind: 'hour' }} */
    let hour = { kind: 'hour', start: NaN, entries: 0, exits: 0, changes: 0 };
    for (const { row, when, counts } of all) {
        const start = Math.floor(when / HOUR) * HOUR;
        if (hour.start !== start) {
            hour = { kind: 'hour', start, entries: 0, exits: 0, changes: 0 };
            rows.push(hour);
        }
        hour[counts] += 1;
        rows.push(row);
    }
    return rows;
}
