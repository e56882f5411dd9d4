// What happened: choose a stretch of time and a floor, see how full it was and what came and went.
import { html, useEffect } from '../html.js';
import { t } from '../i18n.js';
import { moment } from '../format.js';
import {
    custom, floorId, followHistory, isOld, occupancy, problem, range, shownWindow, sums, zoom,
} from '../history_state.js';
import { ranges } from '../history_window.js';
import { floors } from '../state.js';
import { Fault, Field, onSubmit } from './form.js';
import { Heat } from './heat.js';
import { localInput } from './local_input.js';
import { Occupancy } from './occupancy.js';
import { Cameras, Figures, Types } from './sums.js';
import { Traffic } from './traffic.js';

export function History() {
    useEffect(followHistory, []);
    const isThere = occupancy.value && sums.value;
    return html`<div class="page" aria-busy=${isOld.value ? 'true' : 'false'}>
        <h1 class="unseen">${t('nav.history')}</h1>
        <${Choice} />
        <${Fault} problem=${problem.value} />
        ${!isThere && !problem.value && shownWindow.value
            && html`<p class="wait" role="status">${t('loading')}</p>`}
        ${isThere && html`<${Figures} /><${Occupancy} /><${Traffic} />
            <div class="halves"><${Types} /><${Cameras} /></div><${Heat} />`}
    </div>`;
}

function Choice() {
    const choose = (value) => {
        zoom.value = null;
        range.value = value;
    };
    const choices = [...Object.keys(ranges), 'custom'];
    return html`<div class="choice">
        <fieldset class="segments"><legend class="unseen">${t('range')}</legend>
            ${choices.map((value) => html`<label key=${value}><input type="radio" name="range"
                value=${value} checked=${range.value === value} onChange=${() => choose(value)} />
                <span>${t(`range.${value}`)}</span></label>`)}</fieldset>
        <label class="inline">${t('floor')}
            <select value=${floorId.value} onChange=${(e) => { floorId.value = e.target.value; }}>
                <option value="">${t('site')}</option>
                ${floors.value.map((floor) =>
                    html`<option key=${floor.id} value=${String(floor.id)}>${floor.name}</option>`)}
            </select></label>
        ${zoom.value && html`<p class="zoomed">${t('zoomed', {
            start: moment(zoom.value.start), end: moment(zoom.value.end) })}
            <button type="button" class="quiet" onClick=${() => { zoom.value = null; }}>
                ${t('zoom.back')}</button></p>`}
        ${range.value === 'custom' && !zoom.value && html`<${Custom} />`}
        ${!zoom.value && html`<p class="small hint">${t('zoom.hint')}</p>`}
    </div>`;
}

function Custom() {
    const take = ({ start, end }) => {
        const [begin, until] = [new Date(start), new Date(end)];
        if (begin < until) custom.value = { start: begin, end: until };
    };
    const now = Date.now();
    const { start, end } = custom.value
        ?? { start: new Date(now - 86_400_000), end: new Date(now) };
    return html`<form class="custom" onSubmit=${onSubmit(take)}>
        <${Field} label=${t('from')} name="start" type="datetime-local" required
            value=${localInput(start)} />
        <${Field} label=${t('until')} name="end" type="datetime-local" required
            value=${localInput(end)} />
        <button type="submit">${t('show')}</button>
    </form>`;
}
