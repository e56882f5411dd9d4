// The log: every event and every change of a person, live at its newest end, page by page to the
// oldest.
import { html, useEffect } from '../html.js';
import { t } from '../i18n.js';
import { changes, startChanges } from '../changes.js';
import { dayTime, number, whenShort } from '../format.js';
import {
    events, filter, first, followEvents, hasOlder, isFirst, isPaused, missed, newer, older,
    pageNumber,
    pause, problem, told,
} from '../events_state.js';
import { fitsChange, logRows } from '../log_rows.js';
import { floorName } from '../state.js';
import { beforeAfter } from './change_words.js';
import { Direction, Effect, lateness } from './event_cells.js';
import { Story } from './event_story.js';
import { Filters } from './filters.js';
import { Fault } from './form.js';
import { PersonMark } from './marks.js';

/** The width of a phone at most, in px. */
const NARROW = 720;

export function Events() {
    useEffect(followEvents, []);
    useEffect(startChanges, []);
    // On a phone the events come first.
    const isOpen = innerWidth > NARROW || Object.values(filter.value).some(Boolean);
    return html`<div class="page">
        <h1 class="unseen">${t('nav.events')}</h1>
        <details class="filter-fold" open=${isOpen}><summary>${t('filter')}</summary>
            <${Filters} /></details>
        <${Fault} problem=${problem.value} />
        <${Live} />
        <${Rows} />
        <nav class="pages" aria-label=${t('pages')}>
            <button type="button" class="quiet" disabled=${isFirst.value} onClick=${newer}>
                ← ${t('newer')}</button>
            <span>${t('page', { n: number(pageNumber.value) })}</span>
            <button type="button" class="quiet" disabled=${!hasOlder.value} onClick=${older}>
                ${t('older')} →</button>
        </nav>
        ${told.value && html`<${Story} key=${told.value.id} event=${told.value} />`}
    </div>`;
}

/** Whether new events appear by themselves. */
function Live() {
    if (!isFirst.value) {
        return html`<p class="tailing">${t('tail.older')}
            <button type="button" class="quiet" onClick=${first}>${t('tail.newest')}</button></p>`;
    }
    return html`<p class="tailing"><button type="button" aria-pressed=${isPaused.value}
            class="quiet pause" onClick=${pause}>
            ${isPaused.value ? `▶ ${t('tail.resume')}` : `❚❚ ${t('tail.pause')}`}</button>
        <span role="status">${!isPaused.value ? t('tail.live')
            : t('tail.missed', { n: missed.value, shown: number(missed.value) })}</span></p>`;
}

const columns = ['time', 'direction', 'floor', 'vehicle', 'camera', 'track', 'effect'];

function Rows() {
    if (!events.value) return html`<p class="wait" role="status">${t('loading')}</p>`;
    const fitting = (changes.value ?? []).filter((change) => fitsChange(filter.value, change));
    const page = { isFirst: isFirst.value, hasOlder: hasOlder.value };
    const rows = logRows(events.value, fitting, page);
    if (!rows.length) return html`<p class="empty">${t('events.none')}</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${t('nav.events')}>
        <table class="log"><thead><tr>${columns.map((column) =>
            html`<th scope="col" key=${column}>${t(`column.${column}`)}</th>`)}
        </tr></thead><tbody>${rows.map((row, i) => html`<${kinds[row.kind]} key=${i} ...${row} />`)}
        </tbody></table></div>`;
}

const kinds = { event: EventRow, change: ChangeRow, hour: HourRow };

/** The hour, and what of it is on this page. */
function HourRow({ start, entries, exits, changes: made }) {
    return html`<tr class="hour"><th scope="rowgroup" colspan=${columns.length}>
        ${dayTime(start)} · ${t('log.hour', { entries: number(entries), exits: number(exits) })}
        ${made > 0 && html` · ${t('log.changes', { n: made, shown: number(made) })}`}</th></tr>`;
}

/** What a person changed: who, why, before and after. */
function ChangeRow({ change }) {
    return html`<tr class="changes-row">
        <td><time dateTime=${change.timestamp}>${whenShort(change.timestamp)}</time></td>
        <td class="person"><${PersonMark} /> ${t(`change.kind.${change.kind}`)}</td>
        <td>${floorName(change.floor_id)}</td>
        <td colspan="3">${change.author && html`<strong>${change.author}</strong> · `}
            ${change.reason ?? t('log.no-reason')}</td>
        <td class="effect">${beforeAfter(change)}</td></tr>`;
}

function EventRow({ event }) {
    const late = lateness(event);
    const tell = () => { told.value = event; };
    return html`<tr class=${`event ${event.at_limit ? 'at-limit' : ''}`} onClick=${tell}>
        <td><button type="button" class="link" aria-haspopup="dialog">
            <time dateTime=${event.timestamp}>${whenShort(event.timestamp)}</time></button>
            ${late && html`<span class="badge late">${t('late', { by: late })}</span>`}</td>
        <td><${Direction} event=${event} /></td>
        <td>${floorName(event.floor_id)}</td>
        <td>${t(`type.${event.vehicle_type}`)}</td>
        <td class="name">${event.camera_id}</td>
        <td class="name">${event.track_id}</td>
        <td><${Effect} event=${event} /></td>
    </tr>`;
}
