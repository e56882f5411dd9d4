// Which events a log shows: those that fit its filter, each once, a bounded number of them.

/** @typedef {import('./state.js').ParkEvent} ParkEvent */
/** @typedef {Record<string, string>} Filter as the server takes it; an empty one lets all pass */

export const emptyFilter = {
    floor_id: '', camera_id: '', track_id: '', vehicle_type: '', direction: '', at_limit: '',
    start: '', end: '',
};

/** Those events, in the order of their times, the newest first, each once, `most` of them.
 *  @param {ParkEvent[]} more @param {ParkEvent[]} shown */
export function newestFirst(more, shown, most) {
    const byId = new Map();
    for (const event of [...more, ...shown]) byId.set(event.id, event);
    const order = (a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp) || b.id - a.id;
    return [...byId.values()].sort(order).slice(0, most);
}

/** Whether an event fits, as the server would judge.
 *  @param {Filter} filter @param {ParkEvent} event */
export function fits(filter, event) {
    const same = ['floor_id', 'camera_id', 'track_id', 'vehicle_type', 'direction'];
    if (same.some((name) => filter[name] && String(event[name]) !== filter[name])) return false;
    if (filter.at_limit && String(event.at_limit !== null) !== filter.at_limit) return false;
    const when = Date.parse(event.timestamp);
    if (filter.start && when < Date.parse(filter.start)) return false;
    return !(filter.end && when >= Date.parse(filter.end));
}
