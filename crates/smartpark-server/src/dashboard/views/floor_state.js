// The state of a floor: a mark, a word, and the actions that wait behind "⋯".
import { html } from '../html.js';
import { t } from '../i18n.js';
import { clock } from '../format.js';
import { needed } from '../attention.js';
import { mayChange } from '../session.js';
import { floorDay } from '../today.js';
import { ask } from './dialogs.js';
import { ClosedMark, FullMark, SoonMark } from './marks.js';
import { Menu } from './menu.js';
import { outlook } from './outlook.js';

/** Since when a floor is full, as far as that is known. @returns {string | null} */
export function fullSince(floor) {
    const need = needed.value.find(
        (one) => one.kind === 'floor_full' && one.floor_id === floor.id,
    );
    return need?.since ?? floorDay(floor.id)?.full_since ?? null;
}

/** @param {{ floor: import('../state.js').Floor, state: string }} props */
export function FloorState({ floor, state }) {
    if (!floor.is_active) {
        return html`<span class="state closed"><${ClosedMark} /> ${t('badge.inactive')}</span>`;
    }
    if (state === 'full' && floor.total_slots > 0) {
        const since = fullSince(floor);
        return html`<span class="state full"><${FullMark} /> ${since
            ? t('full.since', { time: clock(since) }) : t('full')}</span>`;
    }
    const next = outlook(floor);
    if (next?.key === 'will' || next?.key === 'may') {
        return html`<span class=${`state nearly ${next.key}`}><${SoonMark} /> ${next.text}</span>`;
    }
    if (state === 'nearly') {
        return html`<span class="state nearly"><${SoonMark} /> ${t('badge.nearly')}</span>`;
    }
    return next && html`<span class="state quiet room">${next.text}</span>`;
}

/** What may be done with a floor; nothing for those who may only look. */
export function FloorActions({ floor }) {
    if (!mayChange.value) return null;
    const about = { floor: floor.name };
    const action = (choose, what, label) => html`<button type="button"
        aria-label=${t(`${label}.about`, about)} onClick=${choose(() => ask(what, floor.id))}>
        ${t(label)}</button>`;
    const opening = floor.is_active ? 'close-floor' : 'open-floor';
    return html`<${Menu} label=${t('actions', about)} text="⋯">${(choose) => html`
        ${action(choose, 'recount', 'recount')} ${action(choose, 'floor', 'edit')}
        ${action(choose, 'opening', opening)}`}<//>`;
}
