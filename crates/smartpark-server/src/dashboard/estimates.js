// What comes next on each floor, and how far its count may be off: asked for every few minutes,
// for each question walks through months of facts.
import { get } from './api.js';
import { signal } from './html.js';
import { now, onReload } from './live.js';
import { activeFloors } from './state.js';

const READ_EVERY = 300_000;
/** A server keeps the folded facts of so many floors; more would be read anew every time. */
const MOST_FLOORS = 32;
/** As far as a driver or an attendant plans, in hours. */
const AHEAD = 12;

/** @typedef {{ at: string, vehicles: number, low: number, high: number }} Step */
/** @typedef {{ ready: boolean, steps: Step[], may_be_full_at: string | null,
 *   will_be_full_at: string | null }} Forecast */
/** @typedef {{ count: number, estimate: number, low: number, high: number,
 *   evidence: { nights: number, recounts: number },
 *   caution: { kind: string, percent: number | null } | null,
 *   suggested_recount: { reason: string, best_at: string } | null }} Drift */

/** By floor; those that are not ready are left out.
 *  @type {import('./vendor/signals.js').Signal<Map<number, Forecast>>} */
export const forecasts = signal(new Map());
/** By floor. @type {import('./vendor/signals.js').Signal<Map<number, Drift>>} */
export const drifts = signal(new Map());

/** Begins to ask. */
export function startEstimates() {
    onReload(read);
    let asked = 0;
    now.subscribe((time) => {
        if (document.hidden || time - asked < READ_EVERY || !activeFloors.peek().length) return;
        asked = time;
        read();
    });
}

async function read() {
    const floors = activeFloors.peek();
    if (floors.length > MOST_FLOORS) return;
    for (const { id } of floors) {
        const told = await quietly(`/floors/${id}/forecast`, { hours: AHEAD });
        const next = new Map(forecasts.value);
        if (told?.ready) next.set(id, told);
        else next.delete(id);
        forecasts.value = next;
    }
    const told = await quietly('/drift');
    if (told) drifts.value = new Map(told.floors.map((drift) => [drift.floor_id, drift]));
}

/** An answer, or nothing: the page is whole without estimates, and asks again soon. */
async function quietly(path, query = {}) {
    try {
        return await get(path, query);
    } catch {
        return null;
    }
}
