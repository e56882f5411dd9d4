// A change that a person made, in words: what, before and after.
import { apart, t } from '../i18n.js';
import { number } from '../format.js';
import { floorName } from '../state.js';

/** Counts, which have a number before and one after; other changes leave the vehicles. */
const COUNTS = ['recount', 'entry', 'exit', 'rules', 'withdrawn', 'restored'];

/** Before and after, or what holds from now on. @param {import('../changes.js').Change} change */
export function beforeAfter(change) {
    if (change.kind === 'slots') return t('change.slots', { n: number(change.slots) });
    if (!COUNTS.includes(change.kind)) return '';
    return `${number(change.vehicles - change.count_delta)} → ${number(change.vehicles)}`;
}

/** @param {import('../changes.js').Change} change */
export function changeWords(change) {
    const kind = t(`change.kind.${change.kind}`);
    const words = [apart(floorName(change.floor_id)), kind, beforeAfter(change)];
    return words.filter(Boolean).join(' ');
}
