// The last hour of each floor: read once a minute, and carried on by every change that is told.
import { get } from './api.js';
import { signal } from './html.js';
import { now, onReload, serverNow } from './live.js';
import { activeFloors, followCounts } from './state.js';

export const HOUR = 3_600_000;
const READ_EVERY = 60_000;
/** Points of one floor: a point a second, at the most, is more than is drawn. */
const MOST_POINTS = 400;

/** By floor: points of when (in ms) and how many vehicles from then on.
 *  @type {import('./vendor/signals.js').Signal<Map<number, [number, number][]>>} */
export const trends = signal(new Map());

/** Begins to follow. */
export function startTrends() {
    followCounts(append);
    onReload(readTrends);
    let read = 0;
    now.subscribe((time) => {
        if (document.hidden || time - read < READ_EVERY || !activeFloors.peek().length) return;
        read = time;
        readTrends();
    });
}

async function readTrends() {
    for (const floor of activeFloors.peek()) {
        try {
            const query = { hours: 1, step: 60 };
            put(floor.id, await get(`/floors/${floor.id}/history`, query));
        } catch {
            // The next minute tries again; until then the line is that of the changes seen.
        }
    }
}

function put(id, { steps, end }) {
    /** @type {[number, number][]} */
    const points = steps.map((step, i) => {
        const until = Date.parse(steps[i + 1]?.start ?? end);
        return [until, step.closing];
    });
    trends.value = new Map(trends.value).set(id, points);
}

function append(floor, when) {
    const points = trends.value.get(floor.id) ?? [];
    const last = points.at(-1);
    if (last?.[1] === floor.current_vehicles) return;
    const kept = points.filter(([time]) => time > when - HOUR - 60_000).slice(-MOST_POINTS);
    /** @type {[number, number][]} */
    const longer = [...kept, [when, floor.current_vehicles]];
    trends.value = new Map(trends.value).set(floor.id, longer);
}

/** By how much the count of a floor moved in the last hour; nothing where that is not known. */
export function movement(points, count) {
    const begin = serverNow() - HOUR;
    const first = points?.[0];
    if (!first || first[0] > begin + 120_000) return null;
    const before = points.findLast(([time]) => time <= begin) ?? first;
    return count - before[1];
}
