// What the log shows: a page of events that fit the filter, and the live end of it.
import { get } from './api.js';
import { batch, computed, signal } from './html.js';
import { emptyFilter, fits, newestFirst } from './log.js';
import { onReload } from './live.js';
import { fresh } from './state.js';

/** Rows of a page, and of the live end. */
export const ROWS = 50;

/** @type {import('./vendor/signals.js').Signal<import('./log.js').Filter>} */
export const filter = signal(emptyFilter);
export const events = signal(null);
export const problem = signal(null);
/** Whether the live end stands still, and how many fitting events came meanwhile. */
export const isPaused = signal(false);
export const missed = signal(0);
/** The cursors of the pages before this one, and that of the next. */
const before = signal([]);
const next = signal(null);
const cursor = signal('');
export const isFirst = computed(() => cursor.value === '');
export const pageNumber = computed(() => before.value.length + 1);
export const hasOlder = computed(() => next.value !== null);
/** The event whose story is told.
 *  @type {import('./vendor/signals.js').Signal<import('./state.js').ParkEvent | null>} */
export const told = signal(null);

let asked = 0;

async function read() {
    asked += 1;
    const mine = asked;
    try {
        const page = await get('/events', {
            ...filter.peek(), limit: ROWS, cursor: cursor.peek(),
        });
        if (mine !== asked) return;
        batch(() => {
            // What came by the stream while this was on its way belongs to it.
            const newer = cursor.peek() ? [] : recent.filter((event) => fits(filter.peek(), event));
            events.value = newestFirst(page.events, newer, ROWS);
            next.value = page.next_cursor;
            problem.value = null;
            missed.value = 0;
        });
    } catch (fault) {
        if (mine === asked) problem.value = fault;
    }
}

/** The latest events of the stream, since the reading before. */
let recent = [];

/** Begins to read and to follow. @returns {() => void} stops it */
export function followEvents() {
    recent = [];
    read();
    const stops = [fresh.subscribe(take), onReload(() => isPaused.peek() || read())];
    return () => stops.forEach((stop) => stop());
}

function take(more) {
    recent = [...recent, ...more].slice(-ROWS);
    const fitting = more.filter((event) => fits(filter.peek(), event));
    if (!fitting.length || events.peek() === null) return;
    if (isPaused.peek() || cursor.peek()) missed.value = missed.peek() + fitting.length;
    else events.value = newestFirst(fitting, events.peek(), ROWS);
}

/** Shows what fits this filter, from its newest event on. */
export function choose(fields) {
    batch(() => {
        filter.value = fields;
        first();
    });
}

/** The newest page, live. */
export function first() {
    batch(() => {
        before.value = [];
        cursor.value = '';
        isPaused.value = false;
    });
    recent = [];
    read();
}

export function older() {
    batch(() => {
        before.value = [...before.peek(), cursor.peek()];
        cursor.value = next.peek();
    });
    read();
}

export function newer() {
    const pages = before.peek();
    if (pages.length < 2) {
        first();
        return;
    }
    batch(() => {
        cursor.value = pages.at(-1);
        before.value = pages.slice(0, -1);
    });
    read();
}

/** Holds the live end, or lets it go on from what is newest now. */
export function pause() {
    if (isPaused.peek()) first();
    else isPaused.value = true;
}
