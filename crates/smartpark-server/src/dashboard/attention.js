// What needs a person: the server's list, asked for again and again while the page is seen, and at
// once where a floor has become full or is no longer.
import { get } from './api.js';
import { computed, signal } from './html.js';
import { now, onReload } from './live.js';
import { activeFloors } from './state.js';

const READ_EVERY = 15_000;

/** @typedef {{ kind: string, level: 'high' | 'medium' | 'low', floor_id: number | null,
 *   floor: string | null, camera_id: string | null, reason: string | null, count: number | null,
 *   since: string | null, last: string | null, detail: string, advice: string }} Need */

/** Nothing before the first answer. @type {import('./vendor/signals.js').Signal<Need[] | null>} */
const read = signal(null);
/** Whether the last question was answered. */
export const isKnown = signal(true);

const isFull = (floor) => floor.available_slots <= 0 && floor.total_slots > 0;

/** What needs somebody, the most urgent first; which floors are full is known from the stream. */
export const needed = computed(() => {
    const listed = read.value ?? [];
    const full = new Map(activeFloors.value.filter(isFull).map((floor) => [floor.id, floor]));
    const still = listed.filter(
        ({ kind, floor_id: id }) => (kind === 'floor_full' ? full.has(id)
            : kind !== 'floor_nearly_full' || !full.has(id)),
    );
    const told = new Set(still.filter((need) => need.kind === 'floor_full').map((n) => n.floor_id));
    const untold = [...full.values()].filter((floor) => !told.has(floor.id)).map((floor) => ({
        kind: 'floor_full', level: 'high', floor_id: floor.id, floor: floor.name, camera_id: null,
        reason: null, count: null, since: null, last: null, detail: '', advice: '',
    }));
    return [...untold, ...still];
});

/** Begins to ask. */
export function startAttention() {
    onReload(ask);
    let asked = 0;
    now.subscribe((time) => {
        if (document.hidden || time - asked < READ_EVERY) return;
        asked = time;
        ask();
    });
}

async function ask() {
    try {
        read.value = (await get('/attention')).items;
        isKnown.value = true;
    } catch {
        isKnown.value = false;
    }
}
