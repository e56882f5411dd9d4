// What a floor's count may really be, and when the floor may be full.
import { t } from '../i18n.js';
import { clock, number } from '../format.js';
import { drifts, forecasts } from '../estimates.js';
import { serverNow } from '../live.js';

/** Off by one either way is no news. */
const NEWS = 2;
/** Before so many nights, or a recount, every band is wide: that is no news either. */
const NIGHTS = 14;

/** When a floor may be full, or that it stays free; nothing if it is full already.
 *  @param {import('../state.js').Floor} floor
 *  @returns {{ key: 'will' | 'may' | 'room', text: string } | null} */
export function outlook(floor) {
    const forecast = forecasts.value.get(floor.id);
    if (!forecast || floor.available_slots <= 0) return null;
    const time = (at) => (at && Date.parse(at) > serverNow() ? clock(at) : null);
    const [will, may] = [time(forecast.will_be_full_at), time(forecast.may_be_full_at)];
    if (will) return { key: 'will', text: t('outlook.will', { time: will }) };
    if (may) return { key: 'may', text: t('outlook.may', { time: may }) };
    const until = forecast.steps.at(-1)?.at;
    return until ? { key: 'room', text: t('outlook.room', { time: clock(until) }) } : null;
}

/** Between which numbers the vehicles really are; nothing where that is no news.
 *  @param {import('../state.js').Floor} floor */
export function between(floor) {
    const drift = drifts.value.get(floor.id);
    if (!drift) return null;
    const { low, high, evidence } = drift;
    if (evidence.nights < NIGHTS && !evidence.recounts) return null;
    if (high - low <= NEWS && drift.count >= low && drift.count <= high) return null;
    // The band moves on with the count until it is estimated again.
    const moved = floor.current_vehicles - drift.count;
    const bounded = (bound) => Math.max(0, Math.min(floor.total_slots, bound + moved));
    return { low: bounded(low), high: bounded(high) };
}

/** How many slots are really free, in words; nothing where that is no news. */
export function likelyFree(floor) {
    const cars = between(floor);
    if (!cars) return null;
    const [low, high] = [floor.total_slots - cars.high, floor.total_slots - cars.low];
    return low === high ? t('likely.one', { n: number(low) })
        : t('likely', { low: number(low), high: number(high) });
}

/** Why a count may be off by more, and when to count. @returns {{ key: string, text: string }[]} */
export function advice(floor) {
    const drift = drifts.value.get(floor.id);
    if (!drift || (drift.evidence.nights < NIGHTS && !drift.evidence.recounts)) return [];
    const { caution, suggested_recount: count } = drift;
    const lines = [];
    if (caution) lines.push({ key: 'caution', text: t(`outlook.${caution.kind}`, caution) });
    if (count) {
        lines.push({ key: 'count', text: t('outlook.count', { time: clock(count.best_at) }) });
    }
    return lines;
}
