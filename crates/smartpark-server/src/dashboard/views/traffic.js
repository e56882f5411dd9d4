// Entries and exits: entries above the line, exits below it.
import { html, useState } from '../html.js';
import { t } from '../i18n.js';
import { dayTime, number } from '../format.js';
import { sums, traffic, zoom } from '../history_state.js';
import { stepName, timeAxis, vehicleAxis } from './axes.js';
import { Plot, ink } from './plot.js';

export function Traffic() {
    const { steps, step } = traffic.value;
    if (!steps.length) return null;
    const of = (read) => steps.map(read);
    const data = [
        of((at) => Date.parse(at.start) / 1000), of((at) => at.entries), of((at) => -at.exits),
    ];
    const tip = (_plot, index) => [
        stepName(data[0][index], step),
        t('traffic.entries', { n: number(steps[index].entries) }),
        t('traffic.exits', { n: number(steps[index].exits) }),
    ];
    const label = t('traffic.summary', {
        entries: number(sums.value.entries), exits: number(sums.value.exits),
    });
    return html`<figure class="chart">
        <figcaption><h2>${t(`traffic.per.${step}`)}</h2><ul class="legend">
            <li><span class="swatch in" aria-hidden="true"></span>▲ ${t('entries')}</li>
            <li><span class="swatch out" aria-hidden="true"></span>▼ ${t('exits')}</li>
        </ul></figcaption>
        <${Plot} key=${step} data=${data} options=${options(step)} tip=${tip} label=${label}
            zoom=${(start, end) => { zoom.value = { start, end }; }} />
        <${Table} />
    </figure>`;
}

function options(step) {
    const bars = globalThis.uPlot.paths.bars({ size: [0.72, 48], align: 1 });
    const bar = (fill) => ({
        paths: bars, fill: () => ink(fill), width: 0, points: { show: false },
    });
    return {
        scales: {
            // The last bar has its place, too.
            x: { range: (_plot, low, high) => [low, high + step] },
            y: { range: (_plot, low, high) => [Math.min(-1, low * 1.1), Math.max(1, high * 1.1)] },
        },
        axes: [timeAxis(), vehicleAxis(t('unit.events'))],
        series: [{}, bar('in'), bar('out')],
    };
}

/** The same and more in numbers, for those who want them or see no chart. */
function Table() {
    const [isOpen, open] = useState(false);
    return html`<details onToggle=${(event) => open(event.target.open)}>
        <summary>${t('as-table')}</summary>
        ${isOpen && html`<div class="scroll" tabindex="0" role="region"
            aria-label=${t('as-table')}><table>
            <thead><tr>${['from', 'lowest', 'highest', 'closing', 'entries', 'exits'].map(
                (column) => html`<th scope="col" key=${column}>${t(`column.${column}`)}</th>`)}
            </tr></thead>
            <tbody>${traffic.value.steps.map((at) => html`<tr key=${at.start}>
                <th scope="row">${dayTime(at.start)}</th>
                <td>${number(at.min)}</td><td>${number(at.max)}</td><td>${number(at.closing)}</td>
                <td>${number(at.entries)}</td><td>${number(at.exits)}</td></tr>`)}
            </tbody></table></div>`}
    </details>`;
}
