// How many vehicles came and went in the last quarter of an hour.
import { get } from './api.js';
import { computed, signal } from './html.js';
import { now, serverNow } from './live.js';
import { polled } from './polled.js';
import { fresh } from './state.js';

const SPAN = 900_000;
const READ_EVERY = 30_000;

const read = polled(async () => {
    const start = new Date(serverNow() - SPAN).toISOString();
    const { steps, end } = await get('/history', { start, step: 900 });
    const sum = (name) => steps.reduce((all, step) => all + step[name], 0);
    return { end: Date.parse(end), entries: sum('entries'), exits: sum('exits') };
}, READ_EVERY);

/** Events that came since the last answer. */
const since = signal([]);
fresh.subscribe((events) => {
    if (events.length) since.value = [...since.value, ...events];
});
read.value.subscribe(() => { since.value = []; });

/** Both numbers; nothing before the first answer. */
export const flow = computed(() => {
    if (!read.value.value) return null;
    const { end, entries, exits } = read.value.value;
    const recent = since.value.filter((event) => {
        const when = Date.parse(event.timestamp);
        return Date.parse(event.created_at) > end && when > now.value - SPAN;
    });
    const many = (way) => recent.filter((event) => event.direction === way).length;
    return { entries: entries + many('entry'), exits: exits + many('exit') };
});
export const startFlow = read.start;
