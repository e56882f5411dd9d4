// What needs a person: grouped by what it is, each with what to do.
import { html } from '../html.js';
import { has, t } from '../i18n.js';
import { isKnown, notices } from '../attention.js';
import { number, whenShort } from '../format.js';
import { mayChange } from '../session.js';
import { ask } from './dialogs.js';
import { ClockMark, CountMark, RefusedMark, SilentMark } from './marks.js';

/** The shape of each kind; others are told by their level. */
const shapes = {
    recount_suggested: CountMark,
    events_at_limit: CountMark, camera_behind: ClockMark, camera_silent: SilentMark,
    events_refused: RefusedMark, time_distrusted: ClockMark,
};
/** Names that are told of one group. */
const MOST_NAMES = 5;

/** @typedef {import('../attention.js').Need} Need */

/** @param {{ most?: number, heading: 'h1' | 'h2' }} props */
export function Needs({ most = Infinity, heading }) {
    const all = grouped(/** @type {Need[]} */ (notices.value));
    const shown = all.slice(0, most);
    const n = notices.value.length;
    return html`<section class="needs panel" aria-labelledby="needs-title">
        <div class="panel-head"><${heading} id="needs-title">${t('attention')}<//>
            ${all.length > shown.length && html`<a href="#attention">
                ${t('attention.all', { n: number(n) })}</a>`}</div>
        <p class="unseen" role="status">${isKnown.value && t('attention.count', { n })}</p>
        ${!isKnown.value && html`<p class="fault">${t('attention.unknown')}</p>`}
        ${all.length === 0 && isKnown.value && html`<p class="well">${t('attention.none')}</p>`}
        <ul>${shown.map((group) => html`<${Group} key=${name(group[0])} group=${group}
            isWhole=${most === Infinity} />`)}</ul>
    </section>`;
}

const name = (need) => [need.kind, need.floor_id, need.camera_id, need.reason,
    need.kind === 'not_counted' && need.detail].join('/');

/** Needs of one kind, reason and level stand together, in the place of the first of them.
 *  @param {Need[]} needs @returns {Need[][]} */
export function grouped(needs) {
    /** @type {Map<string, Need[]>} */
    const groups = new Map();
    for (const need of needs) {
        const isOne = !has(`need.${need.kind}.group`);
        const key = isOne ? name(need) : [need.kind, need.reason, need.level].join('/');
        groups.set(key, [...(groups.get(key) ?? []), need]);
    }
    return [...groups.values()];
}

/** Where there is room for all, each of a group can be acted on.
 *  @param {{ group: Need[], isWhole: boolean }} props */
function Group({ group, isWhole }) {
    const [first] = group;
    const { level, since, last, kind } = first;
    const Shape = shapes[kind];
    const isOne = group.length === 1;
    return html`<li class=${`need ${level}`}>
        <span class=${`shape ${level}`} aria-hidden="true">${
            Shape ? html`<${Shape} />` : '●'}</span>
        <div><p class="what"><span class="unseen">${t(`level.${level}`)}: </span
            >${isOne ? what(first) : whatOf(group)}</p>
            <p class="advice">${words(first, 'advice', first.advice)}</p>
            ${isOne && (since || last) && html`<p class="small">${since
                ? t('since', { when: whenShort(since) })
                : t('last', { when: whenShort(last) })}</p>`}
            ${isOne && html`<${Actions} need=${first} />`}
            ${!isOne && isWhole && html`<ul class="members">${group.map((need) =>
                html`<li key=${name(need)}><bdi>${nameOf(need)}</bdi>
                    <${Actions} need=${need} /></li>`)}</ul>`}
        </div></li>`;
}

/** Notices show what can be done, because that is their point. */
function Actions({ need }) {
    const counts = ['recount_suggested', 'events_at_limit'].includes(need.kind);
    if (counts && need.floor_id !== null && mayChange.value) {
        return html`<p class="acts"><button type="button" class="plain"
            aria-label=${t('recount.about', { floor: need.floor ?? '' })}
            onClick=${() => ask('recount', need.floor_id)}>${t('need.recount')}</button></p>`;
    }
    if (need.camera_id !== null) {
        return html`<p class="acts">
            <a class="act-link" href="#cameras">${t('need.camera')}</a></p>`;
    }
    return null;
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

/** @param {Need} need */
const nameOf = (need) => need.camera_id ?? need.floor ?? t('camera.unnamed');

/** What a group has in common, and the names of those in it. @param {Need[]} group */
function whatOf(group) {
    const names = group.slice(0, MOST_NAMES).map(nameOf);
    const more = group.length - names.length;
    if (more > 0) names.push(t('need.more', { n: more }));
    return t(`need.${group[0].kind}.group`, { n: number(group.length), names });
}

/** The whole list, as a view of its own. */
export function Attention() {
    return html`<div class="page narrow"><${Needs} heading="h1" /></div>`;
}
