// What the eye meets first: where the next car goes, how many slots are free, whether that is
// usual, and where it is heading.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { clock, number, weekdayName } from '../format.js';
import { changes } from '../changes.js';
import { fullSpan, shownHours, standing, usuallyFreeAt } from '../day.js';
import { siteForecast, siteLikely } from '../estimates.js';
import { heard, liveness, now, serverNow } from '../live.js';
import { activeFloors, recommended, site } from '../state.js';
import { siteDay } from '../today.js';
import { DayChart, DayLegend, about } from './day_chart.js';
import { Arrow } from './marks.js';

const present = () => Math.max(now.value, serverNow());

/** The hours that the charts of the page show. */
export const span = () => siteDay.value && shownHours(siteDay.value, present());

/** The way for the next car, as on the signs of the building. */
export function Next() {
    const whole = site.value;
    const best = recommended.value;
    if (best) {
        return html`<div class="next"><p>${t('next')}</p>
            <p class="next-floor"><${Arrow} /><span>${best.name}</span></p></div>`;
    }
    const isClosed = activeFloors.value.length === 0;
    const free = usuallyFreeAt(siteDay.value, present());
    return html`<div class="next none"><p>${
        isClosed ? t('site.closed.label') : t('site.full.label')}
        </p><p class="next-floor"><span>${isClosed ? t('closed') : t('full')}</span></p>
        ${!isClosed && whole && free && html`<p>${t('usual.free', { time: clock(free) })}</p>`}
    </div>`;
}

/** The free slots of the whole site, once. */
export function Total() {
    const whole = site.value;
    const isOpen = activeFloors.value.length > 0;
    return html`<div class="total"><p class="figure main"><span
        class=${`num ${whole?.available_slots > 0 ? 'free' : ''}`}>${whole && isOpen
            ? number(whole.available_slots) : '–'}</span>
        ${whole && isOpen && html`<span class="of">${t('free.of', {
            total: number(whole.total_slots) })}</span>`}</p></div>`;
}

/** Whether a day like this one is usual. */
export function Usual() {
    const [day, whole] = [siteDay.value, site.value];
    if (!day || !whole || !whole.total_slots) return null;
    const likely = siteLikely.value;
    const weekday = weekdayName(day.at);
    const kind = standing(day, present(), whole.current_vehicles);
    const full = day.usually_full;
    return html`<div class="usual-words">
        ${likely && html`<p class="likely">${t('likely.site', {
            low: number(likely.low), high: number(likely.high) })}</p>`}
        <p>${kind ? html`<strong>${t(`standing.${kind}`, { weekday })}</strong>`
            : t('standing.unknown', { weekday })}
            ${full && html` ${t('usual.full', { from: clock(full.from),
                until: clock(full.until) })}`}</p></div>`;
}

/** What comes next, as a headline. */
function Heading() {
    const whole = site.value;
    const day = siteDay.value;
    if (!whole || !day) return html`<p class="says">${'–'}</p>`;
    const stale = liveness.value === 'stale';
    const prefix = stale ? `${t('at', { time: clock(heard.value) })} ` : '';
    const [head, more] = words(whole, day);
    return html`<h2 class="says">${prefix}${head}${
        more && html` <span class="small">${more}</span>`}
    </h2>`;
}

/** @returns {[string, string?]} */
function words(whole, day) {
    if (whole.total_slots > 0 && whole.available_slots <= 0) {
        const free = usuallyFreeAt(day, present());
        const since = day.full_since;
        return [since ? t('full.since', { time: clock(since) }) : t('full'),
            free ? t('usual.free', { time: clock(free) }) : undefined];
    }
    const soon = fullSpan(siteForecast.value, whole.total_slots, present(), Date.parse(day.end));
    if (soon) {
        const until = soon.until ?? soon.at;
        const range = until && until > soon.from
            ? t('says.between', { from: about(soon.from), until: about(until) }) : undefined;
        return [t('says.full', { time: about(soon.at ?? soon.from) }), range];
    }
    if (siteForecast.value) return [t('says.room')];
    return [t('says.today'), t('says.early')];
}

/** The day of the site, large. @param {{ height: number }} props */
export function Today({ height }) {
    const [day, whole] = [siteDay.value, site.value];
    const shown = span();
    if (!day || !whole || !shown) {
        return html`<div class="today-chart"><${Heading} /><div class="day-chart"
            style=${{ height: `${height}px` }}></div></div>`;
    }
    const pins = (changes.value ?? []).map(({ id, timestamp }) =>
        ({ id, when: Date.parse(timestamp) }));
    const forecast = siteForecast.value ?? undefined;
    const hasPins = pins.some(({ when }) => when >= shown.from && when <= shown.until);
    const label = t('chart.site', { taken: number(whole.current_vehicles),
        total: number(whole.total_slots) });
    return html`<div class="today-chart"><${Heading} />
        <${DayChart} day=${day} count=${whole.current_vehicles} slots=${whole.total_slots}
            height=${height} span=${shown} forecast=${forecast} label=${label} pins=${pins} />
        <${DayLegend} hasUsual=${day.usual_days >= 2} hasAhead=${Boolean(forecast)}
            hasPins=${hasPins} usual=${t('legend.usual', { n: day.usual_days,
                weekday: weekdayName(day.at) })} /></div>`;
}
