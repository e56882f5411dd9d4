// The axes that the charts share: times in the reader's locale and zone, whole numbers of vehicles.
import { clock, day, dayTime, number } from '../format.js';
import { ink } from './plot.js';

const DAY = 86400;
const FONT = '12px system-ui, sans-serif';

const look = () => ({
    font: FONT,
    stroke: () => ink('muted'),
    grid: { stroke: () => ink('grid'), width: 1 },
    ticks: { stroke: () => ink('grid'), width: 1, size: 4 },
});

/** The time below a chart: hours, and the day where it changes. */
export const timeAxis = () => ({
    ...look(),
    space: 70,
    values: (_plot, splits, _axis, _space, step) => splits.map((split, i) => {
        const when = new Date(split * 1000);
        if (step >= DAY) return day(when);
        const isNew = i === 0 || new Date(splits[i - 1] * 1000).getDate() !== when.getDate();
        return isNew ? `${clock(when)}\n${day(when)}` : clock(when);
    }),
    size: 44,
});

/** The number of vehicles beside a chart. @param {string} label */
export const vehicleAxis = (label) => ({
    ...look(),
    label,
    labelFont: FONT,
    labelSize: 18,
    size: 46,
    incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000],
    values: (_plot, splits) => splits.map((split) => number(Math.abs(split))),
});

/** The beginning of a step, in words. @param {number} when in s @param {number} step in s */
export const stepName = (when, step) =>
    (step >= DAY ? day(when * 1000)
        : `${dayTime(when * 1000)} – ${clock((when + step) * 1000)}`);
