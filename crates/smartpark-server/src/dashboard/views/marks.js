// The marks of states: each has a shape of its own beside its colour and word.
import { html } from '../html.js';

const draw = (inner) => () => html`<svg class="mark" width="14" height="14" viewBox="0 0 14 14"
    aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.7">${inner}</svg>`;

export const FullMark = draw(html`<rect x="1" y="1" width="12" height="12" rx="2"
    fill="currentColor" stroke="none" /><path class="cut" d="M3.5 7h7" />`);
export const SoonMark = draw(html`<path d="M7 1 13.4 13H.6Z" fill="currentColor"
    stroke="none" />`);
export const ClosedMark = draw(html`<path d="m2 2 10 10M12 2 2 12" stroke-width="2.4" />`);
export const SilentMark = draw(html`<path d="M1 7q6-9 12 0q-6 9-12 0M2 13 12 1" />`);
export const ClockMark = draw(html`<circle cx="7" cy="7" r="5.8" />
    <path d="M7 3.5V7l2.5 2" />`);
export const WellMark = draw(html`<path d="M1.5 7.5 5.5 11.5 12.5 3" stroke-width="2.3" />`);
export const CountMark = draw(html`<path d="M3 1.5v11M6 1.5v11M9 1.5v11M1 10.5 11.5 3"
    stroke-width="1.5" />`);
export const RefusedMark = draw(html`<circle cx="7" cy="7" r="5.8" /><path d="m3 11 8-8" />`);
export const PersonMark = draw(html`<circle cx="7" cy="4" r="3" fill="currentColor"
    stroke="none" /><path d="M1 13.5q0-6 6-6t6 6Z" fill="currentColor" stroke="none" />`);
export const InMark = draw(html`<path d="M7 13V2M2.5 6.5 7 2l4.5 4.5" stroke-width="2" />`);
export const OutMark = draw(html`<path d="M7 1v11M2.5 7.5 7 12l4.5-4.5" stroke-width="2" />`);

/** The arrow on the sign and on the board. */
export const Arrow = () => html`<svg class="arrow" viewBox="0 0 24 24" aria-hidden="true"
    fill="none" stroke="currentColor" stroke-width="3.4"><path d="M2 12h19M13 4l8 8-8 8" /></svg>`;
