// How the parts of an event look, wherever one is shown.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { duration, signed } from '../format.js';

/** An event that was recorded later than this after it was seen came late, in ms. */
const LATE = 60_000;

/** @param {{ event: import('../state.js').ParkEvent }} props */
export function Direction({ event }) {
    const mark = event.direction === 'entry' ? '▲' : '▼';
    return html`<span class=${`direction ${event.direction}`}>
        <span aria-hidden="true">${mark}</span> ${t(event.direction)}</span>`;
}

/** What the event did to the count. */
export function Effect({ event }) {
    if (event.at_limit) {
        return html`<span class="badge nearly">${t(`at-limit.${event.at_limit}`)}</span>`;
    }
    if (event.count_delta === 0) return html`<span class="badge">${t('absorbed')}</span>`;
    return html`<span class="effect">${signed(event.count_delta)}</span>`;
}

/** By how much an event came late, where it did. @returns {string | null} */
export function lateness(event) {
    const late = Date.parse(event.created_at) - Date.parse(event.timestamp);
    return late > LATE ? duration(late) : null;
}
