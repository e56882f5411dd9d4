// One floor: how many slots are free, how full it is, where it is going.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { number, percent, signed } from '../format.js';
import { forecasts } from '../estimates.js';
import { mayChange } from '../session.js';
import { fullness, recommended } from '../state.js';
import { movement, trends } from '../trends.js';
import { Bar } from './bar.js';
import { ask } from './dialogs.js';
import { Outlook } from './outlook.js';
import { Spark } from './spark.js';

/** @param {{ floor: import('../state.js').Floor }} props */
export function FloorCard({ floor }) {
    const state = fullness(floor);
    const isBest = recommended.value?.id === floor.id;
    return html`<article class=${`card ${state} ${floor.is_active ? '' : 'inactive'}`}
            data-floor=${floor.id} aria-labelledby=${`floor-${floor.id}`}>
        <header><h3 id=${`floor-${floor.id}`}>${floor.name}</h3>
            <${Badge} floor=${floor} state=${state} isBest=${isBest} /></header>
        ${floor.description && html`<p class="description">${floor.description}</p>`}
        <p class="slots"><span class="digits">${state === 'full' && floor.total_slots > 0
            ? t('full') : number(floor.available_slots)}</span>
            <span class="of">${t(state === 'full' ? 'full.of' : 'free.of', {
                total: number(floor.total_slots) })}</span></p>
        <${Bar} percentage=${floor.occupancy_percentage} state=${state}
            label=${t('occupancy.of', { floor: floor.name })} />
        <p class="below"><span class="vehicles">${t('vehicles.n', {
            n: floor.current_vehicles, shown: number(floor.current_vehicles) })}</span>
            <span>${percent(floor.occupancy_percentage)}</span></p>
        ${floor.is_active && html`<${Outlook} floor=${floor} />
            <${Trend} floor=${floor} />`}
        ${mayChange.value && html`<${Controls} floor=${floor} />`}
    </article>`;
}

function Badge({ floor, state, isBest }) {
    if (!floor.is_active) return html`<span class="badge">${t('badge.inactive')}</span>`;
    if (state === 'full') return html`<span class="badge full">■ ${t('badge.full')}</span>`;
    if (state === 'nearly') return html`<span class="badge nearly">▲ ${t('badge.nearly')}</span>`;
    return isBest && html`<span class="badge best">➜ ${t('badge.best')}</span>`;
}

function Trend({ floor }) {
    const points = trends.value.get(floor.id);
    const moved = movement(points, floor.current_vehicles);
    return html`<div class="trend">
        <${Spark} points=${points} count=${floor.current_vehicles} slots=${floor.total_slots}
            forecast=${forecasts.value.get(floor.id)} />
        <p>${moved === null ? t('trend.unknown')
            : moved === 0 ? t('trend.steady')
            : t('trend.moved', { moved: signed(moved), n: Math.abs(moved) })}</p>
    </div>`;
}

function Controls({ floor }) {
    const about = { floor: floor.name };
    const button = (what, label) => html`<button type="button" class="quiet"
        aria-label=${t(`${label}.about`, about)} onClick=${() => ask(what, floor.id)}>
        ${t(label)}</button>`;
    return html`<div class="controls">
        ${button('recount', 'recount')} ${button('floor', 'edit')}
        ${button('opening', floor.is_active ? 'close-floor' : 'open-floor')}
    </div>`;
}
