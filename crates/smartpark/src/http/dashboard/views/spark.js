// The last hour as a small line. The words beside it say the same.
import { html } from '../html.js';
import { now, serverNow } from '../live.js';
import { HOUR } from '../trends.js';

const [WIDTH, HEIGHT] = [200, 36];

/** @param {{ points?: [number, number][], count: number, slots: number }} props */
export function Spark({ points, count, slots }) {
    // Moves on with the clock, not only with the count.
    const end = Math.max(now.value, serverNow());
    const begin = end - HOUR;
    const known = [...(points ?? []), [end, count]];
    const counts = known.map(([, vehicles]) => vehicles);
    // At least a tenth of the floor high, so that one car is no mountain.
    const low = Math.max(0, Math.min(...counts) - 1);
    const high = Math.max(...counts, low + Math.max(2, slots / 10));
    const y = (vehicles) => (HEIGHT - 2 - ((vehicles - low) / (high - low)) * (HEIGHT - 4));
    const x = (when) => Math.max(0, ((when - begin) / HOUR) * WIDTH);
    let path = '';
    for (const [when, vehicles] of known) {
        const [across, down] = [x(when).toFixed(1), y(vehicles).toFixed(1)];
        path += path ? `H${across}V${down}` : `M${across} ${down}`;
    }
    return html`<svg class="spark" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true"
        preserveAspectRatio="none"><path d=${path} /></svg>`;
}
