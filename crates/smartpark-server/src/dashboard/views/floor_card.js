// One floor: how many slots are free, how full it is, how its day goes.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { number } from '../format.js';
import { forecasts } from '../estimates.js';
import { fullness } from '../state.js';
import { floorDay } from '../today.js';
import { trends } from '../trends.js';
import { Bays } from './bays.js';
import { DayChart } from './day_chart.js';
import { FloorActions, FloorState } from './floor_state.js';
import { advice, between, likelyFree } from './outlook.js';

/** @param {{ floor: import('../state.js').Floor, span: { from: number, until: number } | null }}
 *  props `span` is what the chart of the site shows */
export function FloorCard({ floor, span }) {
    const state = fullness(floor);
    const isFull = state === 'full' && floor.total_slots > 0;
    const likely = floor.is_active && likelyFree(floor);
    return html`<article class=${`card panel ${state} ${floor.is_active ? '' : 'inactive'}`}
            data-floor=${floor.id} aria-labelledby=${`floor-${floor.id}`}>
        <header><h3 id=${`floor-${floor.id}`}><span class="sign">${floor.name}</span></h3>
            <${FloorState} floor=${floor} state=${state} />
            <${FloorActions} floor=${floor} /></header>
        <p class="slots"><span class="digits num">${isFull ? t('full')
            : number(floor.available_slots)}</span>
            <span class="of">${t(isFull ? 'full.of' : 'of', { total: number(floor.total_slots) })}
            ${likely && html`<span class="likely"> · ${likely}</span>`}</span></p>
        <${Bays} floor=${floor} state=${state} between=${floor.is_active ? between(floor) : null} />
        ${floor.is_active && html`<${Advice} floor=${floor} />
            <${Day} floor=${floor} span=${span} />`}
    </article>`;
}

function Advice({ floor }) {
    const lines = advice(floor);
    return lines.length > 0 && html`<ul class="outlook">${lines.map(({ key, text }) =>
        html`<li key=${key} class=${key}>${text}</li>`)}</ul>`;
}

function Day({ floor, span }) {
    const day = floorDay(floor.id);
    if (!day || !span) return html`<div class="day-chart small-chart"></div>`;
    return html`<${DayChart} day=${day} count=${floor.current_vehicles} slots=${floor.total_slots}
        height=${76} span=${span} recent=${trends.value.get(floor.id)} isSmall=${true}
        forecast=${forecasts.value.get(floor.id)}
        label=${t('chart.floor', { floor: floor.name })} />`;
}
