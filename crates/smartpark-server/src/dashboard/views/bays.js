// How full a floor is, slot by slot up to 24 of them, else as one bar. Free ones are outlined,
// taken ones filled, and hatched those that may be either.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { number } from '../format.js';

/** So many slots are drawn one by one. */
const MOST_BAYS = 24;

/** @param {{ floor: import('../state.js').Floor, state: string,
 *   between?: { low: number, high: number } | null, asBar?: boolean }} props `between` vehicles may
 *   really be */
export function Bays({ floor, state, between = null, asBar = false }) {
    const { total_slots: slots, current_vehicles: vehicles, name } = floor;
    const label = t('occupancy.of', { floor: name });
    const meter = {
        role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': slots,
        'aria-valuenow': vehicles,
        'aria-valuetext': t('taken.of', { n: number(vehicles), total: number(slots) }),
    };
    const kind = floor.is_active ? state : 'closed';
    const sure = Math.min(vehicles, between?.low ?? vehicles);
    const perhaps = Math.min(slots, Math.max(vehicles, between?.high ?? vehicles));
    if (asBar || slots > MOST_BAYS || slots < 1) {
        const share = (cars) => `${slots > 0 ? Math.min(100, (cars / slots) * 100) : 0}%`;
        return html`<div class=${`bar ${kind}`} ...${meter}>
            <div style=${{ width: share(sure) }}></div>
            ${perhaps > sure && html`<div class="unsure"
                style=${{ width: share(perhaps - sure) }}></div>`}</div>`;
    }
    const bay = (i) => (i < sure ? 'taken' : i < perhaps ? 'unsure' : '');
    return html`<div class=${`bays ${kind}`} ...${meter}>
        ${Array.from({ length: slots }, (_, i) => html`<i key=${i} class=${bay(i)}></i>`)}</div>`;
}
