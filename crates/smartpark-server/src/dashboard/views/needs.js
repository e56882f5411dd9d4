// What needs a person, each with what to do.
import { html } from '../html.js';
import { has, t } from '../i18n.js';
import { isKnown, needed } from '../attention.js';
import { number, whenShort } from '../format.js';
import { activeFloors } from '../state.js';

const marks = { high: '■', medium: '▲', low: '●' };

/** @param {{ most?: number, heading: 'h1' | 'h2' }} props */
export function Needs({ most = Infinity, heading }) {
    const all = needed.value;
    const shown = all.slice(0, most);
    return html`<section class="needs" aria-labelledby="needs-title">
        <div class="section-head"><${heading} id="needs-title">${t('attention')}<//>
            ${all.length > shown.length && html`<a href="#attention">
                ${t('attention.all', { n: all.length })}</a>`}</div>
        ${!isKnown.value && html`<p class="fault">${t('attention.unknown')}</p>`}
        ${all.length === 0 && isKnown.value && html`<p class="well">✓ ${t('attention.none')}</p>`}
        <ul>${shown.map((need) => html`<${Need} key=${name(need)} need=${need} />`)}</ul>
    </section>`;
}

const name = (need) => [need.kind, need.floor_id, need.camera_id, need.reason,
    need.kind === 'not_counted' && need.detail].join('/');

function Need({ need }) {
    const { level, since, last } = need;
    return html`<li class=${`need ${level}`}>
        <span class="mark" aria-hidden="true">${marks[level]}</span>
        <div><p class="what"><span class="unseen">${t(`level.${level}`)}: </span>${what(need)}</p>
            <p class="advice">${advice(need)}</p>
            ${(since || last) && html`<p class="small">${since
                ? t('since', { when: whenShort(since) })
                : t('last', { when: whenShort(last) })}</p>`}
        </div></li>`;
}

/** The page's own words where it has any for this kind, else the server's. */
function words(need, part, fallback) {
    const keys = [`need.${need.kind}.${need.reason}.${part}`, `need.${need.kind}.${part}`];
    const key = keys.find(has);
    const n = need.count ?? 0;
    const camera = need.camera_id ?? t('camera.unnamed');
    return key ? t(key, { ...need, camera_id: camera, n, count: number(n) }) : fallback;
}

const what = (need) => words(need, 'what', need.detail);

/** Where to send cars instead, for a floor that is full. */
function advice(need) {
    if (need.kind === 'floor_full') {
        const isOpen = activeFloors.value.some((floor) => floor.available_slots > 0);
        return t(isOpen ? 'need.floor_full.advice' : 'need.floor_full.all.advice');
    }
    return words(need, 'advice', need.advice);
}

/** The whole list, as a view of its own. */
export function Attention() {
    return html`<div class="page narrow"><${Needs} heading="h1" /></div>`;
}
