// How things stand now: where to send the next car, the site, every floor.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { number, percent } from '../format.js';
import { mayChange } from '../session.js';
import { activeFloors, floors, inactiveFloors, isLoaded, recommended, site } from '../state.js';
import { ask } from './dialogs.js';
import { FloorCard } from './floor_card.js';
import { Bar } from './bar.js';
import { Needs } from './needs.js';
import { Tail } from './tail.js';

export function Now() {
    if (!isLoaded.value) return html`<p class="wait" role="status">${t('loading')}</p>`;
    const add = mayChange.value && html`<button type="button" class="quiet"
        onClick=${() => ask('floor')}>${t('floor.add')}</button>`;
    return html`
        <${Summary} />
        <div class="columns">
            <section class="floors" aria-labelledby="floors-title">
                <div class="section-head"><h2 id="floors-title">${t('floors')}</h2>${add}</div>
                ${floors.value.length === 0 && html`<p class="empty">${t('floors.none')}</p>`}
                <ul class="cards">${activeFloors.value.map((floor) =>
                    html`<li key=${floor.id}><${FloorCard} floor=${floor} /></li>`)}</ul>
                <${Inactive} />
            </section>
            <aside aria-label=${t('beside')}>
                <${Needs} most=${4} heading="h2" />
                <${Tail} />
            </aside>
        </div>`;
}

/** The site as a whole, and the way for the next car. */
function Summary() {
    const whole = site.value;
    if (!whole) return null;
    const best = recommended.value;
    const isFull = whole.available_slots <= 0;
    return html`<section class="summary" aria-label=${t('site')}>
        <div class=${`next ${best ? '' : 'none'}`}>
            <p class="small">${t('next')}</p>
            <p class="next-floor">${best
                ? html`<span class="arrow" aria-hidden="true">➜</span>${best.name}`
                : t(isFull ? 'next.none' : 'next.unknown')}</p>
            ${best && html`<p class="small">${t('free.n', {
                n: best.available_slots, shown: number(best.available_slots) })}</p>`}
        </div>
        <dl class="figures">
            <div class="figure main"><dt>${t('site.free')}</dt>
                <dd class=${isFull ? 'full' : ''}>${number(whole.available_slots)}</dd></div>
            <div class="figure"><dt>${t('site.vehicles')}</dt>
                <dd>${number(whole.current_vehicles)}</dd></div>
            <div class="figure"><dt>${t('site.slots')}</dt>
                <dd>${number(whole.total_slots)}</dd></div>
            <div class="figure"><dt>${t('site.occupancy')}</dt>
                <dd>${percent(whole.occupancy_percentage)}</dd></div>
        </dl>
        <${Bar} percentage=${whole.occupancy_percentage} state=${isFull ? 'full' : 'free'}
            label=${t('site.occupancy')} />
    </section>`;
}

function Inactive() {
    if (!inactiveFloors.value.length) return null;
    return html`<h3 class="apart">${t('floors.inactive')}</h3>
        <ul class="cards apart">${inactiveFloors.value.map((floor) =>
            html`<li key=${floor.id}><${FloorCard} floor=${floor} /></li>`)}</ul>`;
}
