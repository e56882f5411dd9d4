// Beside the floors: what comes and goes, what people changed, how the cameras do.
import { html, useEffect } from '../html.js';
import { t } from '../i18n.js';
import { number, whenBrief } from '../format.js';
import { cameras, startCameras, stateOf } from '../cameras.js';
import { changes, startChanges } from '../changes.js';
import { flow, startFlow } from '../flow.js';
import { changeWords } from './change_words.js';
import { ClockMark, InMark, OutMark, PersonMark, RefusedMark, SilentMark, WellMark }
    from './marks.js';

/** Changes that are shown. */
const SHOWN = 3;

export function Flow() {
    useEffect(startFlow, []);
    const seen = flow.value;
    const part = (Mark, name, n) => html`<p><${Mark} /><span class=${`num ${name}`}>${seen
        ? number(n) : '–'}</span> <span class="small">${t(`flow.${name}`)}</span></p>`;
    return html`<section class="panel"><h2>${t('flow')}</h2>
        <div class="flow">${part(InMark, 'in', seen?.entries)}
            ${part(OutMark, 'out', seen?.exits)}</div></section>`;
}

export function Changed() {
    useEffect(startChanges, []);
    const latest = (changes.value ?? []).slice(0, SHOWN);
    return html`<section class="panel changed-by"><div class="panel-head">
            <h2>${t('changed')}</h2><a href="#log">${t('nav.events')}</a></div>
        ${latest.length === 0 && html`<p class="small">${t('changed.none')}</p>`}
        <ul>${latest.map((change) => html`<li key=${change.id}>
            <time dateTime=${change.timestamp}>${whenBrief(change.timestamp)}</time>
            <span><span class="person"><${PersonMark} /></span> ${changeWords(change)}
            <span class="why">${[change.author, change.reason].filter(Boolean).join(' · ')}</span>
            </span></li>`)}
        </ul></section>`;
}

const marks = { well: WellMark, behind: ClockMark, refused: RefusedMark, silent: SilentMark };
const colours = { well: 'free', behind: 'nearly', refused: 'nearly', silent: 'act' };

export function CameraSums() {
    useEffect(startCameras, []);
    /** @type {[string, number][]} */
    const sums = Object.keys(marks).map((state) =>
        [state, (cameras.value ?? []).filter((camera) => stateOf(camera) === state).length]);
    return html`<section class="panel"><div class="panel-head"><h2>${t('nav.cameras')}</h2>
            <a href="#cameras">${t('all')}</a></div>
        ${cameras.value?.length === 0 && html`<p class="small">${t('cameras.none')}</p>`}
        <ul class="camera-sums">${sums.filter(([, n]) => n > 0).map(([state, n]) =>
            html`<li key=${state}><span class=${colours[state]}><${marks[state]} /></span>
                ${t(`cameras.${state}`, { n: number(n) })}</li>`)}</ul></section>`;
}
