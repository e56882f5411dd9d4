// How full something is, as a bar; for those who do not see it, as a number.
import { html } from '../html.js';
import { percent } from '../format.js';

/** @param {{ percentage: number, state: 'free' | 'nearly' | 'full', label: string }} props */
export function Bar({ percentage, state, label }) {
    return html`<div class=${`bar ${state}`} role="meter" aria-label=${label} aria-valuemin="0"
        aria-valuemax="100" aria-valuenow=${Math.round(percentage)}
        aria-valuetext=${percent(percentage)}>
        <div style=${{ width: `${Math.min(100, percentage)}%` }}></div></div>`;
}
