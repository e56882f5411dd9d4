// Reading a day's chart value by value: with the pointer, or with the arrow keys.
import { html, useState } from '../html.js';
import { t } from '../i18n.js';
import { clock, number } from '../format.js';

const STEP = 900_000;

/** @param {{ frame: any, known: [number, number][], ahead: any[], usual: any[],
 *   label: string }} chart */
export function useCursor({ frame, known, ahead, usual, label }) {
    const [at, move] = useState(null);
    const { span, present, edge, width } = frame;
    const place = at ?? present;
    const bounded = (when) => Math.max(span.from, Math.min(span.until, when));
    const moves = {
        ArrowLeft: (when) => when - STEP, ArrowRight: (when) => when + STEP,
        ArrowDown: (when) => when - STEP, ArrowUp: (when) => when + STEP,
        PageDown: (when) => when - 4 * STEP, PageUp: (when) => when + 4 * STEP,
        Home: () => span.from, End: () => span.until,
    };
    const onKeyDown = (event) => {
        if (event.key === 'Escape') return move(null);
        const step = moves[event.key];
        if (!step || event.altKey || event.ctrlKey || event.metaKey) return undefined;
        event.preventDefault();
        return move(bounded(Math.round(step(place) / STEP) * STEP));
    };
    const onPointerMove = (event) => {
        const across = event.clientX - event.currentTarget.getBoundingClientRect().left;
        const share = (across - edge.left) / (width - edge.left - edge.right);
        move(share < 0 || share > 1 ? null : span.from + share * (span.until - span.from));
    };
    const lines = told(place, { known, ahead, usual, present });
    const isRight = at !== null && frame.x(at) > width / 2;
    return {
        at,
        attributes: {
            tabindex: '0', role: 'slider', 'aria-label': label, 'aria-valuemin': 0,
            'aria-valuemax': Math.round((span.until - span.from) / 60_000),
            'aria-valuenow': Math.round((place - span.from) / 60_000),
            'aria-valuetext': lines.join(', '), onKeyDown, onPointerMove,
            onPointerLeave: () => move(null), onBlur: () => move(null),
        },
        tip: at !== null && html`<div class="tip" aria-hidden="true"
            style=${isRight ? { right: `${width - frame.x(at) + 10}px` }
                : { left: `${frame.x(at) + 10}px` }}>
            ${lines.map((line, i) => html`<p key=${i}>${line}</p>`)}</div>`,
    };
}

/** What the chart says of an instant. */
function told(when, { known, ahead, usual, present }) {
    const lines = [clock(when)];
    const near = (steps) => steps.findLast((step) => step.when <= when);
    if (when <= present) {
        const seen = known.findLast(([time]) => time <= when);
        if (seen) lines.push(t('cursor.was', { n: seen[1], shown: number(seen[1]) }));
    } else {
        const step = near(ahead);
        if (step) {
            lines.push(t('cursor.ahead', { shown: number(Math.round(step.vehicles)),
                low: number(step.low), high: number(step.high) }));
        }
    }
    const day = near(usual);
    if (day) lines.push(t('cursor.usual', { low: number(day.low), high: number(day.high) }));
    return lines;
}
