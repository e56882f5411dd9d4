// One event's whole story: what was seen, what it did to the count, what else its track did, and
// how long the vehicle stayed.
import { html, useEffect, useState } from '../html.js';
import { t } from '../i18n.js';
import { get } from '../api.js';
import { duration, exact, number, percent, signed } from '../format.js';
import { told } from '../events_state.js';
import { newestFirst } from '../log.js';
import { floorName } from '../state.js';
import { Dialog } from './dialogs.js';
import { Direction, Effect, lateness } from './event_cells.js';

/** Events of a track that are shown. */
const MOST = 20;

/** @param {{ event: import('../state.js').ParkEvent }} props */
export function Story({ event }) {
    const [others, setOthers] = useState(null);
    useEffect(() => {
        get('/events', { track_id: event.track_id, limit: MOST })
            .then((page) => setOthers(newestFirst(page.events, [event], MOST + 1)))
            .catch(() => setOthers([]));
    }, []);
    const late = lateness(event);
    const close = () => { told.value = null; };
    const row = (label, value) => html`<div><dt>${t(label)}</dt><dd>${value}</dd></div>`;
    return html`<${Dialog} title=${t('story', { id: event.id })} close=${close} className="story">
        <p class="lead"><${Direction} event=${event} /> ·
            ${' '}<bdi>${floorName(event.floor_id)}</bdi> ·
            ${' '}${t(`type.${event.vehicle_type}`)}</p>
        <p>${effect(event)}</p>
        <dl class="facts">
            ${row('story.seen', exact(event.timestamp))}
            ${row('story.recorded', exact(event.created_at)
                + (late ? ` (${t('story.late', { by: late })})` : ''))}
            ${row('column.camera', event.camera_id)}
            ${row('column.track', event.track_id)}
            ${row('story.confidence', percent(event.confidence * 100))}
        </dl>
        <h3>${t('story.track')}</h3>
        <${Track} event=${event} others=${others} />
    <//>`;
}

/** What recording it did to the count, in a sentence. */
function effect(event) {
    const floor = floorName(event.floor_id);
    if (event.at_limit) return t(`story.at-limit.${event.at_limit}`, { floor });
    if (event.count_delta === 0) return t('story.absorbed', { floor });
    return t('story.counted', { floor, moved: signed(event.count_delta) });
}

function Track({ event, others }) {
    if (!others) return html`<p class="wait" role="status">${t('loading')}</p>`;
    const stay = stayOf(event, others);
    return html`
        <p>${stay !== null ? t('story.stay', { length: duration(stay) })
            : t(event.direction === 'entry' ? 'story.still' : 'story.no-entry')}</p>
        <ol class="track">${[...others].reverse().map((other) => html`<li key=${other.id}
            aria-current=${other.id === event.id ? 'true' : undefined}>
            <time dateTime=${other.timestamp}>${exact(other.timestamp)}</time>
            <${Direction} event=${other} /> <bdi>${floorName(other.floor_id)}</bdi>,
            ${' '}<bdi>${other.camera_id}</bdi>
            ${' '}<${Effect} event=${other} /></li>`)}</ol>
        ${others.length > MOST && html`<p class="small">
            ${t('story.more', { n: number(MOST) })}</p>`}`;
}

/** How long the vehicle stayed, in ms: from an entry of the track to the exit after it.
 *  @param {import('../state.js').ParkEvent} event @param {import('../state.js').ParkEvent[]} others
 *  the newest first */
export function stayOf(event, others) {
    const time = (of) => Date.parse(of.timestamp);
    const [at, oldestFirst] = [time(event), [...others].reverse()];
    const partner = event.direction === 'entry'
        ? oldestFirst.find((other) => other.direction === 'exit' && time(other) >= at)
        : others.find((other) => other.direction === 'entry' && time(other) <= at);
    if (!partner) return null;
    // Another entry between the two: the track was used again, and the stay is not known.
    const [from, until] = [Math.min(at, time(partner)), Math.max(at, time(partner))];
    const within = others.filter((other) => time(other) > from && time(other) < until);
    return within.length ? null : until - from;
}
