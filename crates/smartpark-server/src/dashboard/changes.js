// What people changed: recounts, slots, openings and closings, the latest first.
import { get } from './api.js';
import { polled } from './polled.js';

const READ_EVERY = 60_000;
const MOST = 50;

/** @typedef {{ id: number, floor_id: number, kind: string, count_delta: number, vehicles: number,
 *   slots: number, reason: string | null, author: string | null, timestamp: string,
 *   created_at: string, is_dated: boolean }} Change */

const read = polled(async () => (await get('/changes', { limit: MOST })).changes, READ_EVERY);

/** Nothing before the first answer.
 *  @type {import('./vendor/signals.js').Signal<Change[] | null>} */
export const changes = read.value;
export const startChanges = read.start;
/** Reads them at once, as after a change on this page. */
export const readChanges = read.ask;
