// What the view of the past shows: read anew when another stretch or floor is chosen, when events
// come that belong to it, and when some may have been missed.
import { get } from './api.js';
import { batch, computed, effect, signal } from './html.js';
import { chosen, recent, weeks } from './history_window.js';
import { onReload, serverNow } from './live.js';
import { activeFloors, floorsById, fresh, site } from './state.js';
import { atMost } from './timing.js';

/** The first answer to an event comes fast; a flood is followed at this pace, in ms. */
const FOLLOW_EVERY = 3_000;
/** How often the live end of the line moves at most, in ms. */
const MOVE_EVERY = 250;

/** '24h', '7d', '30d' or 'custom'. */
export const range = signal('24h');
/** The chosen stretch of 'custom'.
 *  @type {import('./vendor/signals.js').Signal<{ start: Date, end: Date } | null>} */
export const custom = signal(null);
/** The stretch that was drawn in the chart. */
export const zoom = signal(null);
/** The floor, as text; '' is the site. */
export const floorId = signal('');

/** What was read: histories by step, and sums. Nothing before the first answer. */
export const occupancy = signal(null);
export const traffic = signal(null);
export const busiest = signal(null);
export const sums = signal(null);
export const problem = signal(null);
/** Whether what is shown is still that of the choice before. */
export const isOld = signal(false);

export const isLive = computed(() => !zoom.value && range.value !== 'custom');
export const shownWindow = computed(() => {
    if (zoom.value) return chosen(zoom.value.start, zoom.value.end);
    if (range.value === 'custom') {
        return custom.value && chosen(custom.value.start, custom.value.end);
    }
    return recent(range.value, serverNow());
});
/** How many vehicles there are now, for the end of the line, and on which floor (null: the site).
 *  @type {import('./vendor/signals.js').Signal<{ floor: number | null, count: number } | null>} */
export const countNow = signal(null);

const path = () => (floorId.peek() ? `/floors/${floorId.peek()}/history` : '/history');
const span = ({ start, end }) => ({ start: start.toISOString(), end: end?.toISOString() });
let asked = 0;

async function read() {
    let window = shownWindow.peek();
    if (!window) return;
    if (isLive.peek()) window = recent(range.peek(), serverNow());
    asked += 1;
    const mine = asked;
    const wants = [
        get(path(), { ...span(window), step: window.step }),
        window.step === window.traffic ? null
            : get(path(), { ...span(window), step: window.traffic }),
        get('/statistics', { ...span(window), floor_id: floorId.peek() }),
    ];
    try {
        const [fine, coarse, counted] = await Promise.all(wants);
        if (mine !== asked) return;
        batch(() => {
            occupancy.value = fine;
            // The end of the line belongs to the same floor as the rest of it.
            countNow.value = current();
            traffic.value = coarse ?? fine;
            sums.value = counted;
            problem.value = null;
        });
    } catch (fault) {
        if (mine === asked) problem.value = fault;
    }
    if (mine === asked) isOld.value = false;
}

async function readWeeks() {
    const window = shownWindow.peek();
    if (!window) return;
    const wanted = { path: path(), window };
    try {
        const hours = await get(wanted.path, {
            ...span(weeks(window, serverNow())), step: 3600,
        });
        if (wanted.path === path() && window === shownWindow.peek()) busiest.value = hours;
    } catch {
        // History that is gone, or too long a stretch for hours: the table is left out.
        busiest.value = null;
    }
}

/** Whether an event belongs to the floor that is looked at. */
const concerns = (event) => (floorId.peek() ? String(event.floor_id) === floorId.peek()
    : activeFloors.peek().some((floor) => floor.id === event.floor_id));

/** Begins to read and to follow. @returns {() => void} stops it */
export function followHistory() {
    const follow = atMost(read, () => FOLLOW_EVERY);
    const move = atMost(() => { countNow.value = current(); }, () => MOVE_EVERY);
    const stops = [
        effect(() => {
            if (floorId.value === undefined || !shownWindow.value) return;
            isOld.value = true;
            read();
            readWeeks();
        }),
        fresh.subscribe((events) => {
            if (events.some(concerns) && isLive.peek()) follow();
        }),
        effect(() => {
            floorsById.value && site.value && floorId.value;
            move();
        }),
        onReload(() => {
            read();
            readWeeks();
        }),
    ];
    return () => stops.forEach((stop) => stop());
}

function current() {
    const floor = Number(floorId.peek()) || null;
    const place = floor ? floorsById.peek().get(floor) : site.peek();
    return place ? { floor, count: place.current_vehicles } : null;
}
