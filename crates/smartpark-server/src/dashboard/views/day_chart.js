// A day as cars that rise to the line Full: today, what is usual, and the way ahead. The gap to the
// line is the room that is left. Drawn anew at each width, so that its texts keep their size.
import { html, useEffect, useRef, useState } from '../html.js';
import { t } from '../i18n.js';
import { clock, hourOf } from '../format.js';
import { counts, fullSpan, ticks } from '../day.js';
import { now, serverNow } from '../live.js';
import { useCursor } from './day_cursor.js';

/** The room for an hour's name below the chart, in px. */
const TICK_ROOM = 52;

/** The width of an element, followed. @param {number} first
 *  @returns {[{ current: HTMLElement }, number]} */
function useWidth(first) {
    const place = useRef(null);
    const [width, setWidth] = useState(first);
    useEffect(() => {
        const watch = new ResizeObserver(([{ contentRect }]) => setWidth(contentRect.width));
        watch.observe(place.current);
        return () => watch.disconnect();
    }, []);
    return [place, Math.max(160, width)];
}

/**
 * @param {{ day: import('../today.js').Today, count: number, slots: number, height: number,
 *   span: { from: number, until: number }, recent?: [number, number][], isSmall?: boolean,
 *   forecast?: import('../estimates.js').Forecast, label: string,
 *   pins?: { when: number, id: number }[] }} props
 */
export function DayChart({
    day, count, slots, height: most, span, recent, isSmall = false, forecast, label, pins = [],
}) {
    const [place, width] = useWidth(isSmall ? 260 : 640);
    const present = Math.max(now.value, serverNow());
    const height = Math.min(most, isSmall ? most : Math.max(200, width / 2));
    const edge = isSmall ? { left: 1, right: 2, top: 6, bottom: 16 }
        : { left: 34, right: 12, top: 22, bottom: 22 };
    const share = (when) => (when - span.from) / (span.until - span.from);
    const x = (when) => edge.left + Math.max(0, Math.min(1, share(when)))
        * (width - edge.left - edge.right);
    const top = Math.max(slots, 1);
    const bottom = height - edge.bottom;
    const y = (cars) => bottom - Math.max(0, Math.min(1, cars / top)) * (bottom - edge.top);
    const inside = ({ when }) => when >= span.from && when <= span.until;
    const timed = (steps) => steps.map((step) => ({ ...step, when: Date.parse(step.at) }));
    const usual = timed(day.steps).filter((step) => step.low !== null && inside(step));
    const ahead = timed(forecast?.steps ?? []).filter((s) => s.when > present && inside(s));
    const frame = { x, y, edge, width, height, bottom, slots, span, present, count, isSmall };
    const known = counts(day, recent, present, count);
    const cursor = useCursor({ frame, known, ahead, usual, label });
    return html`<div class="day-chart" ref=${place} ...${isSmall ? {} : cursor.attributes}>
        <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`}
            aria-hidden=${isSmall ? undefined : 'true'} role=${isSmall ? 'img' : undefined}
            aria-label=${isSmall ? label : undefined}>
            <${Grid} frame=${frame} />
            <${Usual} frame=${frame} steps=${usual} />
            <${Ahead} frame=${frame} steps=${ahead} />
            <line class="floor-line" x1=${edge.left} x2=${width - edge.right} y1=${bottom}
                y2=${bottom} />
            <line class="full-line" x1=${edge.left} x2=${width - edge.right} y1=${y(top)}
                y2=${y(top)} />
            <path class="today" d=${path(frame, known)} />
            ${!isSmall && html`<${Soon} frame=${frame} forecast=${forecast} />
                <${Pins} frame=${frame} pins=${pins} />`}
            ${count < slots && html`<line class="room" x1=${x(present)} x2=${x(present)}
                y1=${y(count)} y2=${y(top)} />`}
            <circle class="now" cx=${x(present)} cy=${y(count)} r="5" />
            ${!isSmall && cursor.at !== null && html`<line class="cursor" x1=${x(cursor.at)}
                x2=${x(cursor.at)} y1=${edge.top} y2=${bottom} />`}
        </svg>
        ${!isSmall && cursor.tip}
    </div>`;
}

function Grid({ frame: { x, y, edge, width, height, bottom, slots, span, present, isSmall } }) {
    const room = (width - edge.left - edge.right) / TICK_ROOM;
    const named = ticks(span, hourOf, isSmall ? 5 : Math.min(9, room));
    const anchor = (when) => (x(when) < edge.left + 8 && isSmall ? 'start'
        : x(when) > width - edge.right - 8 ? 'end' : 'middle');
    return html`${named.map((when) => html`<line class="grid" key=${when} x1=${x(when)}
            x2=${x(when)} y1=${y(slots)} y2=${bottom} />
        <text class="tick" key=${`t${when}`} x=${x(when)} y=${height - 4}
            text-anchor=${anchor(when)}>${String(hourOf(when)).padStart(2, '0')}</text>`)}
        ${!isSmall && html`<text class="full-text" x=${edge.left - 4} y=${y(slots) + 4}
                text-anchor="end">${t('full')}</text>
            <text class="tick" x=${edge.left - 4} y=${bottom + 4} text-anchor="end">0</text>
            <text class="tick" x=${Math.max(edge.left + 14, x(present) - 6)} y=${edge.top - 8}
                text-anchor="end">${t('chart.now')}</text>`}`;
}

/** The counts are steps: nothing smooth is claimed about the past. */
function path({ x, y, span }, points) {
    const before = points.filter(([when]) => when < span.from).at(-1);
    const shown = points.filter(([when]) => when >= span.from);
    const all = before ? [[span.from, before[1]], ...shown] : shown;
    return all.map(([when, cars], i) => {
        const [across, down] = [x(when).toFixed(1), y(cars).toFixed(1)];
        return i ? `H${across}V${down}` : `M${across} ${down}`;
    }).join('');
}

const joined = ({ x, y }, steps, of) =>
    steps.map((step) => `${x(step.when).toFixed(1)},${y(of(step)).toFixed(1)}`);

function Usual({ frame, steps }) {
    if (steps.length < 2) return null;
    const points = [...joined(frame, steps, (step) => step.high),
        ...joined(frame, steps, (step) => step.low).reverse()];
    return html`<polygon class="usual" points=${points.join(' ')} />`;
}

function Ahead({ frame, steps }) {
    if (!steps.length) return null;
    const start = { when: frame.present, vehicles: frame.count, low: frame.count,
        high: frame.count };
    const line = (of) => joined(frame, [start, ...steps], of).join(' ');
    return html`<polyline class="bound" points=${line((step) => step.low)} />
        <polyline class="bound" points=${line((step) => step.high)} />
        <polyline class="ahead" points=${line((step) => step.vehicles)} />`;
}

/** When it may be full: the span on the line, and the middle of it. */
function Soon({ frame: { x, y, slots, present, span, count }, forecast }) {
    const soon = count < slots ? fullSpan(forecast, slots, present, span.until) : null;
    if (!soon) return null;
    const until = soon.until ?? soon.at ?? soon.from;
    const [from, to] = [x(soon.from), Math.max(x(until), x(soon.from) + 4)];
    const middle = x(soon.at ?? soon.from);
    const line = y(slots);
    return html`<line class="soon" x1=${from} x2=${to} y1=${line} y2=${line} />
        <path class="soon-mark" d=${`M${middle - 5} ${line - 10}h10l-5 7Z`} />`;
}

function Pins({ frame: { x, bottom, span }, pins }) {
    return pins.filter(({ when }) => when >= span.from && when <= span.until).map((pin) =>
        html`<g class="pin" key=${pin.id}><line x1=${x(pin.when)} x2=${x(pin.when)} y1=${bottom}
            y2=${bottom - 14} /><circle cx=${x(pin.when)} cy=${bottom - 16} r="4.5" /></g>`);
}

/** What the lines of a day's chart mean. */
export function DayLegend({ hasUsual, hasAhead, hasPins, usual }) {
    const item = (kind, text) => html`<li><span class=${`swatch ${kind}`} aria-hidden="true"></span
        >${text}</li>`;
    return html`<ul class="legend">${item('today', t('legend.today'))}
        ${hasAhead && item('ahead', t('legend.ahead'))}
        ${hasUsual && item('usual', usual)}
        ${item('room', t('legend.room'))}
        ${hasPins && item('pin', t('legend.person'))}</ul>`;
}

/** A time for the reader, rounded to five minutes. */
export const about = (when) => clock(Math.round(when / 300_000) * 300_000);
