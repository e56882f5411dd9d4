// The cameras: those that need a person first, each with what to do; then all, when each was heard
// and how far its clock is behind.
import { html, useEffect } from '../html.js';
import { t } from '../i18n.js';
import { cameras, isKnown, startCameras, stateOf } from '../cameras.js';
import { duration, number, whenShort } from '../format.js';
import { choose } from '../events_state.js';
import { emptyFilter } from '../log.js';
import { ClockMark, RefusedMark, SilentMark, WellMark } from './marks.js';

const order = { silent: 0, behind: 1, refused: 2, well: 3 };
const marks = { well: WellMark, behind: ClockMark, refused: RefusedMark, silent: SilentMark };
const colours = { well: 'free', behind: 'nearly', refused: 'nearly', silent: 'act' };
const columns = ['name', 'state', 'received', 'clock', 'lag', 'today', 'limit', 'refused'];
/** A lag of less is one of the way here, in s. */
const NO_LAG = 5;

export function Cameras() {
    useEffect(startCameras, []);
    if (!isKnown.value && !cameras.value) {
        return html`<div class="page">
            <p class="fault" role="alert">${t('cameras.unknown')}</p></div>`;
    }
    if (!cameras.value) return html`<p class="wait" role="status">${t('loading')}</p>`;
    const all = cameras.value.map((camera) => ({ camera, state: stateOf(camera) }))
        .sort((a, b) => order[a.state] - order[b.state]
            || a.camera.camera_id.localeCompare(b.camera.camera_id));
    const n = all.filter(({ state }) => state !== 'well').length;
    return html`<div class="page"><h1>${t('nav.cameras')}</h1>
        ${all.length === 0 ? html`<section class="panel"><p>${t('cameras.none')}</p>
            <p class="small">${t('cameras.next')}</p></section>`
            : html`<p class="sum">${t(n ? 'cameras.sum' : 'cameras.sum.well', {
                total: number(all.length), n: number(n) })}</p>
            <div class="panel scroll" tabindex="0" role="region" aria-label=${t('nav.cameras')}>
            <table class="cameras"><thead><tr>${columns.map((column) =>
                html`<th scope="col" key=${column}>${t(`camera.column.${column}`)}</th>`)}</tr>
            </thead><tbody>${all.map((one) =>
                html`<${Row} key=${one.camera.camera_id} ...${one} />`)}</tbody></table></div>`}
    </div>`;
}

/** @param {{ camera: import('../cameras.js').Camera,
 *   state: import('../cameras.js').CameraState }} props */
function Row({ camera, state }) {
    const Mark = marks[state];
    const { lag_seconds: lag } = camera;
    const time = (at) => (at ? html`<time dateTime=${at}>${whenShort(at)}</time>` : '–');
    const cell = (column, value) =>
        html`<td data-label=${t(`camera.column.${column}`)}>${value}</td>`;
    const filter = () => choose({ ...emptyFilter, camera_id: camera.camera_id });
    return html`<tr class=${state}>
        <th scope="row"><a href="#events" onClick=${filter}>${camera.camera_id}</a></th>
        <td><span class=${`state ${colours[state]}`}><${Mark} /> ${t(`camera.state.${state}`, {
            by: duration((lag ?? 0) * 1000), n: camera.refused, shown: number(camera.refused) })}
        </span>${state !== 'well' && html`<p class="small">${t(`camera.advice.${state}`)}</p>`}</td>
        ${cell('received', time(camera.last_heard ?? camera.last_received))}
        ${cell('clock', time(camera.last_event))}
        ${cell('lag', lag === null ? '–' : lag < NO_LAG ? '0 s' : `−${duration(lag * 1000)}`)}
        ${cell('today', number(camera.events_today))}
        ${cell('limit', number(camera.at_limit_today))}
        ${cell('refused', number(camera.refused))}</tr>`;
}
