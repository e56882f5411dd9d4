// What a floor's count may really be, and when the floor may be full.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { clock, number } from '../format.js';
import { drifts, forecasts } from '../estimates.js';
import { serverNow } from '../live.js';

/** Off by one either way is no news. */
const NEWS = 2;
/** Before so many nights, or a recount, every band is wide: that is no news either. */
const NIGHTS = 14;

/** @param {{ floor: import('../state.js').Floor }} props */
export function Outlook({ floor }) {
    const lines = [full(floor), ...unsure(floor)].filter(Boolean);
    if (!lines.length) return null;
    return html`<ul class="outlook">${lines.map(({ key, text }) =>
        html`<li key=${key} class=${key}>${text}</li>`)}</ul>`;
}

/** When the floor may be full; nothing if it is full already. */
function full(floor) {
    const forecast = forecasts.value.get(floor.id);
    if (!forecast || floor.available_slots <= 0) return null;
    const time = (at) => (at && Date.parse(at) > serverNow() ? clock(at) : null);
    const [will, may] = [time(forecast.will_be_full_at), time(forecast.may_be_full_at)];
    if (will) return { key: 'will', text: t('outlook.will', { time: will }) };
    if (may) return { key: 'may', text: t('outlook.may', { time: may }) };
    const until = forecast.steps.at(-1)?.at;
    return until ? { key: 'room', text: t('outlook.room', { time: clock(until) }) } : null;
}

/** Between which numbers the true one is, and when to count. */
function unsure(floor) {
    const drift = drifts.value.get(floor.id);
    if (!drift) return [];
    const { low, high, caution, evidence, suggested_recount: count } = drift;
    if (evidence.nights < NIGHTS && !evidence.recounts) return [];
    // The band moves on with the count until it is estimated again.
    const moved = floor.current_vehicles - drift.count;
    const place = (bound) => number(Math.max(0, Math.min(floor.total_slots, bound + moved)));
    const lines = [];
    if (high - low > NEWS || drift.count < low || drift.count > high) {
        const between = { low: place(low), high: place(high) };
        lines.push({ key: 'between', text: t('outlook.between', between) });
    }
    if (caution) lines.push({ key: 'caution', text: t(`outlook.${caution.kind}`, caution) });
    if (count) {
        const time = clock(count.best_at);
        lines.push({ key: 'count', text: t('outlook.count', { time }) });
    }
    return lines;
}
