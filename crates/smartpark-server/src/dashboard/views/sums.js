// What happened in numbers: the sums of the window, the types of vehicles, the cameras.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { dayTime, number, percent } from '../format.js';
import { occupancy, sums } from '../history_state.js';
import { Bar } from './bar.js';

/** Cameras that are listed; the log has them all. */
const MOST_CAMERAS = 6;

export function Figures() {
    const { entries, exits, at_limit: atLimit, peak_hour: peak } = sums.value;
    const steps = occupancy.value.steps;
    const highest = steps.length
        ? steps.reduce((most, step) => (step.max > most.max ? step : most)) : null;
    const figure = (label, value, more) => html`<div class="figure"><dt>${t(label)}</dt>
        <dd>${value}${more && html`<span class="small">${more}</span>`}</dd></div>`;
    return html`<dl class="figures tiles">
        ${figure('entries', number(entries))}
        ${figure('exits', number(exits))}
        ${highest && figure('highest', number(highest.max), dayTime(highest.start))}
        ${peak && figure('peak', number(peak.events), dayTime(peak.start))}
        ${figure('at-limit', number(atLimit), t(atLimit ? 'at-limit.some' : 'at-limit.none'))}
    </dl>`;
}

export function Types() {
    const counts = sums.value.by_vehicle_type;
    const rows = Object.entries(counts).map(([type, n]) => [t(`type.${type}`), n]);
    return html`<${Shares} title=${t('types')} rows=${rows} />`;
}

export function Cameras() {
    const rows = Object.entries(sums.value.by_camera).sort(([, a], [, b]) => b - a);
    return html`<${Shares} title=${t('cameras')} rows=${rows.slice(0, MOST_CAMERAS)} />`;
}

/** How a sum divides. @param {{ title: string, rows: [string, number][] }} props */
function Shares({ title, rows }) {
    const total = sums.value.total_events;
    return html`<section class="shares"><h2>${title}</h2>
        ${total === 0 && html`<p class="empty">${t('events.none')}</p>`}
        <ul>${total > 0 && rows.map(([name, n]) => html`<li key=${name}>
            <span class="name">${name}</span>
            <span>${number(n)} · ${percent((n / total) * 100)}</span>
            <${Bar} percentage=${(n / total) * 100} state="plain" label=${name} /></li>`)}</ul>
    </section>`;
}
