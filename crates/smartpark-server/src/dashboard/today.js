// Today beside the same weekday of the last weeks: of the site, and of its floors if these are few.
import { get } from './api.js';
import { siteZone } from './format.js';
import { computed } from './html.js';
import { polled } from './polled.js';
import { activeFloors } from './state.js';

const READ_EVERY = 300_000;
/** From so many floors on the page shows a section of the building. */
export const MANY_FLOORS = 8;

/** @typedef {{ at: string, vehicles: number | null, low: number | null, middle: number | null,
 *   high: number | null }} TodayStep */
/** @typedef {{ floor_id: number | null, date: string, time_zone: string, start: string,
 *   end: string, at: string, total_slots: number, full_since: string | null, usual_days: number,
 *   usually_full: { from: string, until: string } | null, steps: TodayStep[] }} Today */

/** Whether the floors are asked about, too. */
let isDetailed = true;

const days = polled(async () => {
    const site = await get('/today');
    // Nobody said where the site is while its zone is UTC: the reader's own is a better guess.
    siteZone.value = site.time_zone === 'UTC' ? undefined : site.time_zone;
    const floors = isDetailed ? activeFloors.peek() : [];
    const few = floors.length < MANY_FLOORS ? floors : [];
    const read = await Promise.all(few.map(({ id }) => get(`/floors/${id}/today`)));
    return { site, floors: new Map(read.map((day) => [day.floor_id, day])) };
}, READ_EVERY);

/** @type {import('./vendor/signals.js').Signal<Today | null>} */
export const siteDay = computed(() => days.value.value?.site ?? null);
/** @param {number} id @returns {Today | null} */
export const floorDay = (id) => days.value.value?.floors.get(id) ?? null;

/** Begins to ask. @param {{ withFloors?: boolean }} [options] */
export function startToday({ withFloors = true } = {}) {
    isDetailed = withFloors;
    days.start();
    if (!withFloors) return;
    // Floors come with the stream, mostly after the first question.
    let known = '';
    activeFloors.subscribe((floors) => {
        const ids = floors.map((floor) => floor.id).join();
        if (ids && ids !== known) days.ask();
        known = ids || known;
    });
}
