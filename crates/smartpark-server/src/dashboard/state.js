// How the site stands now, as the stream tells it. Everything that is shown follows from this.
import { computed, signal } from './html.js';

/**
 * @typedef {{ id: number, name: string, description: string | null, total_slots: number,
 *   current_vehicles: number, available_slots: number, occupancy_percentage: number,
 *   is_active: boolean }} Floor
 * @typedef {{ id: number, camera_id: string, floor_id: number, track_id: string,
 *   vehicle_type: string, direction: string, confidence: number, timestamp: string,
 *   created_at: string, count_delta: number, at_limit: 'full' | 'empty' | null }} ParkEvent
 */

/** From this occupancy on a floor is nearly full, in percent; below [`AGAIN`] it is no longer. */
const NEARLY = 90;
const AGAIN = 80;

/** All floors by id. @type {import('./vendor/signals.js').Signal<Map<number, Floor>>} */
export const floorsById = signal(new Map());
/** Whether the floors are known at all. */
export const isLoaded = signal(false);
/** The active floors together, and where to send the next car. */
export const site = signal(null);
/** Events as they come, the latest last: each time only those that are new. */
export const fresh = signal([]);

/** The floors in the order in which they were made: it does not move while somebody reads. */
export const floors = computed(() => [...floorsById.value.values()].sort((a, b) => a.id - b.id));
export const activeFloors = computed(() => floors.value.filter((floor) => floor.is_active));
export const inactiveFloors = computed(() => floors.value.filter((floor) => !floor.is_active));
export const recommended = computed(
    () => floorsById.value.get(site.value?.recommended_floor_id) ?? null,
);

/** The floors that are nearly full, with hysteresis: one car more or less flips nothing. */
const nearly = new Set();

/** @param {Floor} floor @returns {'full' | 'nearly' | 'free'} */
export function fullness(floor) {
    if (floor.available_slots <= 0) return 'full';
    return nearly.has(floor.id) ? 'nearly' : 'free';
}

export const floorName = (id) => floorsById.value.get(id)?.name ?? `#${id}`;

/** Those who want to know of each change of a count: `(floor, when)`. */
const followers = new Set();
/** @param {(floor: Floor, when: number) => void} follow */
export const followCounts = (follow) => followers.add(follow);

/** @param {Map<number, Floor | null>} changed what is null is gone */
export function putFloors(changed, when) {
    const next = new Map(floorsById.value);
    for (const [id, floor] of changed) {
        if (floor === null) {
            next.delete(id);
            continue;
        }
        next.set(id, floor);
        const percentage = floor.occupancy_percentage;
        if (percentage >= NEARLY) nearly.add(id);
        else if (percentage < AGAIN) nearly.delete(id);
        followers.forEach((follow) => follow(floor, when));
    }
    floorsById.value = next;
}

/** Keeps only these floors. @param {Set<number>} ids */
export function keepFloors(ids) {
    const kept = [...floorsById.value].filter(([id]) => ids.has(id));
    floorsById.value = new Map(kept);
    isLoaded.value = true;
}

export function putSite(view) {
    site.value = view;
    isLoaded.value = true;
}

/** @param {ParkEvent[]} events */
export function putEvents(events) {
    fresh.value = events;
}
