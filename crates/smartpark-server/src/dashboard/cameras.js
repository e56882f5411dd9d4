// The cameras of the site, and which of them need a person.
import { get } from './api.js';
import { needed } from './attention.js';
import { computed } from './html.js';
import { polled } from './polled.js';

const READ_EVERY = 30_000;

/** @typedef {{ camera_id: string, last_event: string | null, last_received: string | null,
 *   last_heard: string | null, lag_seconds: number | null, is_behind: boolean,
 *   events_today: number, at_limit_today: number, refused: number }} Camera */
/** @typedef {'silent' | 'behind' | 'refused' | 'well'} CameraState */

const read = polled(async () => (await get('/cameras')).cameras, READ_EVERY);

/** Nothing before the first answer.
 *  @type {import('./vendor/signals.js').Signal<Camera[] | null>} */
export const cameras = read.value;
export const isKnown = read.isKnown;
export const startCameras = read.start;

const silent = computed(() => new Set(
    needed.value.filter((need) => need.kind === 'camera_silent').map((need) => need.camera_id),
));

/** @param {Camera} camera @returns {CameraState} */
export function stateOf(camera) {
    if (silent.value.has(camera.camera_id)) return 'silent';
    if (camera.is_behind) return 'behind';
    return camera.refused > 0 ? 'refused' : 'well';
}
