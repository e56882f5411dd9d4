// A board for a screen at the ramp: one floor (`?floor=2`), some (`?floors=1,3`) or all. It has no
// controls and needs nobody: it connects again by itself. Its words are read at ten metres; it is
// never black, and a number that may be wrong is not shown.
import { html, render, signal } from './html.js';
import { t } from './i18n.js';
import { askedFloors, boardRows, signInByLink } from './board.js';
import { usuallyFreeAt } from './day.js';
import { clock, number } from './format.js';
import { liveness, now, reconnect, serverNow, startLive } from './live.js';
import { isShut, readSession, known } from './session.js';
import { floors, floorsById, fullness, isLoaded, recommended } from './state.js';
import { siteDay, startToday } from './today.js';
import { Arrow } from './views/marks.js';
import { SignIn } from './views/sign_in.js';
import { startKeeping } from './wake.js';

const asked = askedFloors(location.search);
const site = document.querySelector('meta[name=site]').getAttribute('content');
/** Whether the key of the link was refused. */
const isRefused = signal(false);

/** The floors of this board, in the order of the building. */
const shown = () => floors.value.filter((floor) => !asked || asked.includes(floor.id));
const isFree = (floor) => floor.is_active && floor.available_slots > 0;
const isOld = () => liveness.value === 'stale' || liveness.value === 'paused';

function Board() {
    return html`<header class="board-head"><span class="logo" aria-hidden="true">P</span>
            <p>${site}</p><time>${clock(now.value)}</time></header>
        <main><${Body} /></main>`;
}

function Body() {
    if (isShut.value && known.value) {
        return html`${isRefused.value && html`<p class="board-note" role="alert">
            ${t('display.refused')}</p>`}<${SignIn} done=${reconnect} />`;
    }
    if (!isLoaded.value) return html`<p class="board-note" role="status">${t('display.wait')}</p>`;
    if (isOld()) return html`<${Old} />`;
    const all = shown();
    if (asked?.length === 1) {
        const floor = floorsById.value.get(asked[0]);
        return floor ? html`<${One} floor=${floor} />`
            : html`<p class="board-note" role="alert">
                ${t('display.no-floor', { id: asked[0] })}</p>`;
    }
    if (!all.length) return html`<${Word} word=${t('display.empty')} />`;
    if (!all.some((floor) => floor.is_active)) return html`<${Word} word=${t('display.closed')} />`;
    if (!all.some(isFree)) return html`<${AllFull} all=${all} />`;
    const rows = boardRows(all, recommended.value?.id);
    return html`<h1 class="unseen">${t('floors')}</h1><ul class="board">${rows.map((floor) =>
        html`<li key=${floor.id}><${Row} floor=${floor} /></li>`)}</ul>`;
}

/** A word as large as the screen takes. */
function Word({ word, more = '', kind = '' }) {
    return html`<section class=${`panel alone ${kind}`}>
        <h1 class="word" style=${{ '--chars': word.length }}>${word}</h1>
        ${more && html`<p class="words">${more}</p>`}</section>`;
}

/** Nothing that was true once is shown as if it were true now. */
function Old() {
    const hadRoom = shown().some(isFree);
    return html`<div class="old" role="alert">${hadRoom ? html`<${Word} kind="stale"
        word=${t('display.open')} more=${t('display.no-count')} />`
        : html`<section class="panel alone stale"><p class="words">${t('display.no-count')}</p>
        </section>`}</div>`;
}

function AllFull({ all }) {
    const free = asked ? null : usuallyFreeAt(siteDay.value, serverNow());
    const best = recommended.value;
    return html`<${Word} kind="full" word=${t('display.full')}
        more=${free ? t('usual.free', { time: clock(free) }) : ''} />
        ${best && !all.includes(best) && html`<${Instead} floor=${best} />`}`;
}

/** The way to another floor. */
function Instead({ floor }) {
    return html`<p class="instead"><${Arrow} /><span class="name">${floor.name}</span>${' '}
        <span class="count">${number(floor.available_slots)}</span></p>`;
}

/** What a floor says: its state in a word, or its free slots. */
const saying = (floor) => (!floor.is_active ? t('display.closed')
    : isFree(floor) ? number(floor.available_slots) : t('display.full'));
const kindOf = (floor) => (!isFree(floor) ? 'full' : fullness(floor));

/** @param {{ floor: import('./state.js').Floor }} props */
function Row({ floor }) {
    const isBest = recommended.value?.id === floor.id;
    return html`<section class=${`panel row ${kindOf(floor)} ${isBest ? 'best' : ''}`}
            aria-label=${floor.name}>
        <span class="way">${isBest && html`<${Arrow} />`}</span>
        <h2 style=${{ '--chars': floor.name.length }}>${floor.name}</h2>
        <p class=${isFree(floor) ? 'digits' : 'digits state-word'}>${saying(floor)}</p></section>`;
}

function One({ floor }) {
    const best = recommended.value;
    const text = saying(floor);
    return html`<section class=${`panel alone ${kindOf(floor)}`} aria-label=${floor.name}>
        <h1 style=${{ '--chars': floor.name.length }}>${floor.name}</h1>
        <p class="digits" style=${{ '--chars': Math.max(2, text.length) }}>${text}</p>
        ${isFree(floor) && html`<p class="words">${t('display.free')}</p>`}</section>
        ${!isFree(floor) && best && best.id !== floor.id && html`<${Instead} floor=${best} />`}`;
}

render(html`<${Board} />`, document.querySelector('#board'));
isRefused.value = await signInByLink() === 'refused';
await readSession();
startLive();
startToday({ withFloors: false });
startKeeping();
