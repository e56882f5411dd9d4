// How things stand now: where to send the next car, the site, every floor.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { mayChange } from '../session.js';
import { activeFloors, floors, inactiveFloors, isLoaded } from '../state.js';
import { MANY_FLOORS } from '../today.js';
import { CameraSums, Changed, Flow } from './beside.js';
import { Building } from './building.js';
import { ask } from './dialogs.js';
import { FloorCard } from './floor_card.js';
import { Next, Today, Total, Usual, span } from './hero.js';
import { Needs } from './needs.js';

const LARGE = 318;
const SMALL = 220;

export function Now() {
    if (!isLoaded.value) return html`<p class="wait" role="status">${t('loading')}</p>`;
    if (!floors.value.length) return html`<${Empty} />`;
    return floors.value.length < MANY_FLOORS ? html`<${Few} />` : html`<${Many} />`;
}

function Few() {
    const shown = span();
    const all = [...activeFloors.value, ...inactiveFloors.value];
    return html`<div class="now"><h1 class="unseen">${t('nav.now')}</h1>
        <div>
            <section class="hero panel" aria-label=${t('site')}>
                <div class="where"><${Next} /><${Total} /><${Usual} /></div>
                <${Today} height=${LARGE} />
            </section>
            <section aria-label=${t('floors')}><ul class="cards">${all.map((floor) =>
                html`<li key=${floor.id}><${FloorCard} floor=${floor} span=${shown} /></li>`)}
            </ul></section>
        </div>
        <aside class="beside" aria-label=${t('beside')}>
            <${Needs} most=${3} heading="h2" /><${Flow} /><${Changed} /><${CameraSums} />
        </aside></div>`;
}

function Many() {
    return html`<div class="now many"><h1 class="unseen">${t('nav.now')}</h1>
        <${Building} />
        <aside class="beside" aria-label=${t('beside')}>
            <section class="many-head" aria-label=${t('site')}><${Next} /><${Total} /></section>
            <section class="panel many-day" aria-label=${t('says.today')}>
                <${Today} height=${SMALL} /><${Usual} /></section>
            <${Needs} most=${3} heading="h2" /><${Flow} /><${Changed} /><${CameraSums} />
        </aside></div>`;
}

/** A site without floors: the next step. */
function Empty() {
    return html`<div class="page"><section class="panel first"><h1>${t('floors.none')}</h1>
        <p>${t('floors.first')}</p>
        ${mayChange.value && html`<p><button type="button" onClick=${() => ask('floor')}>
            ${t('floor.add')}</button></p>`}</section></div>`;
}
