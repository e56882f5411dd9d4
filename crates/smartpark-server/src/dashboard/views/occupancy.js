// Occupancy over time: between which counts each step moved, the count at its end, the capacity.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { moment, number } from '../format.js';
import { countNow, isLive, occupancy, zoom } from '../history_state.js';
import { floorName } from '../state.js';
import { stepName, timeAxis, vehicleAxis } from './axes.js';
import { Plot, ink } from './plot.js';

export function Occupancy() {
    // What is said is about what was read, which may still be the floor chosen before.
    const { steps, step, end, floor_id: floor } = occupancy.value;
    if (!steps.length) return null;
    const now = isLive.value && countNow.value?.floor === floor ? countNow.value.count : null;
    const name = floor ? floorName(floor) : t('site');
    const data = columns(steps, end, now);
    const tip = (_plot, index) => {
        const at = steps[Math.min(index, steps.length - 1)];
        return [
            stepName(Date.parse(at.start) / 1000, step),
            t('occupancy.between', { low: number(at.min), high: number(at.max) }),
            t('occupancy.closing', { n: number(at.closing) }),
            t('occupancy.mean', { n: number(at.mean, 1) }),
            t('occupancy.slots', { n: number(at.total_slots) }),
        ];
    };
    return html`<figure class="chart">
        <figcaption><h2>${t('occupancy')}</h2><${Legend} /></figcaption>
        <${Plot} key=${step} data=${data} options=${options()} tip=${tip}
            label=${summary(name, steps, now)}
            zoom=${(start, end) => { zoom.value = { start, end }; }} />
    </figure>`;
}

/** One column more than steps: the last is the end, with the count of now where it is now. */
function columns(steps, end, now) {
    const of = (member) => steps.map((step) => step[member]);
    const ended = (values, last) => [...values, last ?? values.at(-1)];
    return [
        [...of('start'), end].map((when) => Date.parse(when) / 1000),
        ended(of('max')), ended(of('min')),
        [null, ...of('closing').slice(0, -1), now ?? steps.at(-1).closing],
        ended(of('total_slots')),
    ];
}

function options() {
    const stepped = globalThis.uPlot.paths.stepped({ align: 1 });
    return {
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high) * 1.05] } },
        axes: [timeAxis(), vehicleAxis(t('unit.vehicles'))],
        bands: [{ series: [1, 2], fill: () => ink('band') }],
        series: [
            {},
            { paths: stepped, width: 0, points: { show: false } },
            { paths: stepped, width: 0, points: { show: false } },
            { stroke: () => ink('accent'), width: 2, points: { show: false } },
            { paths: stepped, stroke: () => ink('full'), width: 1.5, dash: [6, 4],
                points: { show: false } },
        ],
    };
}

function Legend() {
    return html`<ul class="legend">
        <li><span class="swatch line" aria-hidden="true"></span>${t('legend.closing')}</li>
        <li><span class="swatch band" aria-hidden="true"></span>${t('legend.band')}</li>
        <li><span class="swatch dashed" aria-hidden="true"></span>${t('legend.slots')}</li>
    </ul>`;
}

/** The chart in words. */
function summary(name, steps, now) {
    const highest = steps.reduce((most, step) => (step.max > most.max ? step : most));
    const lowest = steps.reduce((least, step) => (step.min < least.min ? step : least));
    return t('occupancy.summary', {
        name, last: number(now ?? steps.at(-1).closing), total: number(steps.at(-1).total_slots),
        high: number(highest.max), highAt: moment(highest.start),
        low: number(lowest.min), lowAt: moment(lowest.start),
    });
}
