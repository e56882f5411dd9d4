// The last hour as a small line, and the next ones as dashes within a band where a forecast is
// ready. The words beside it say the same.
import { html } from '../html.js';
import { now, serverNow } from '../live.js';
import { HOUR } from '../trends.js';

const [WIDTH, HEIGHT] = [200, 48];
/** As far ahead as is drawn. */
const AHEAD = 3 * HOUR;

/** @param {{ points?: [number, number][], count: number, slots: number,
 *            forecast?: import('../estimates.js').Forecast }} props */
export function Spark({ points, count, slots, forecast }) {
    // Moves on with the clock, not only with the count.
    const present = Math.max(now.value, serverNow());
    const begin = present - HOUR;
    const steps = (forecast?.steps ?? []).map((step) => ({ ...step, when: Date.parse(step.at) }))
        .filter(({ when }) => when > present && when <= present + AHEAD);
    const end = steps.length ? present + AHEAD : present;
    const known = [...(points ?? []), [present, count]];
    const counts = [...known.map(([, vehicles]) => vehicles),
        ...steps.flatMap(({ low, high }) => [low, high])];
    // At least a tenth of the floor high, so that one car is no mountain.
    const low = Math.max(0, Math.min(...counts) - 1);
    const high = Math.max(...counts, low + Math.max(2, slots / 10));
    const down = (vehicles) =>
        (HEIGHT - 2 - ((vehicles - low) / (high - low)) * (HEIGHT - 4)).toFixed(1);
    const across = (when) =>
        (Math.max(0, (when - begin) / (end - begin)) * WIDTH).toFixed(1);
    let path = '';
    for (const [when, vehicles] of known) {
        path += path ? `H${across(when)}V${down(vehicles)}` : `M${across(when)} ${down(vehicles)}`;
    }
    const at = (when, vehicles) => `${across(when)},${down(vehicles)}`;
    const start = at(present, count);
    const line = (of) => steps.map((step) => at(step.when, of(step)));
    const band = [start, ...line((step) => step.high),
        ...line((step) => step.low).reverse()].join(' ');
    const middle = [start, ...line((step) => step.vehicles)].join(' ');
    const isFullSeen = steps.length > 0 && slots <= high;
    return html`<svg class="spark" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true"
        preserveAspectRatio="none">
        ${steps.length > 0 && html`<polygon class="band" points=${band} />
            <polyline class="ahead" points=${middle} />`}
        ${isFullSeen && html`<line class="limit" x1="0" x2=${WIDTH} y1=${down(slots)}
            y2=${down(slots)} />`}
        <path d=${path} /></svg>`;
}
