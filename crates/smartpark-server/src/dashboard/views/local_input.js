// Instants and what fields for local times take, in the time zone in which the page tells times.
import { siteZone } from '../format.js';

/** The local time of an instant, as a field takes it, to the minute. @param {Date} when */
export function localInput(when) {
    const parts = new Intl.DateTimeFormat('sv-SE', {
        timeZone: siteZone.value, year: 'numeric', month: '2-digit', day: '2-digit',
        hour: '2-digit', minute: '2-digit',
    });
    return parts.format(when).replace(' ', 'T');
}

/** The instant of a local time. One that the clock skips is moved on, as clocks do.
 *  @param {string} local @returns {Date} */
export function fromLocal(local) {
    const wanted = Date.parse(`${local}Z`);
    // Twice: the offset may be another one at the first guess.
    let when = wanted;
    for (let turn = 0; turn < 2; turn += 1) {
        when += wanted - Date.parse(`${localInput(new Date(when))}Z`);
    }
    return new Date(when);
}

/** As the server takes it: an instant, or nothing where the field is empty.
 *  @param {string} local */
export const instant = (local) => (local ? fromLocal(local).toISOString() : '');
