// A board for a screen at the ramp: one floor (`?floor=ID`), or all that are active. It has no
// controls and needs nobody: it connects again by itself, and rather than a number that may be
// wrong it says since when it has heard nothing.
import { html, render } from './html.js';
import { t } from './i18n.js';
import { number, seconds } from './format.js';
import { heard, liveness, now, reconnect, startLive } from './live.js';
import { isShut, readSession, known } from './session.js';
import { activeFloors, floorsById, isLoaded, recommended } from './state.js';
import { SignIn } from './views/sign_in.js';
import { startKeeping } from './wake.js';

const only = Number(new URLSearchParams(location.search).get('floor')) || null;

function Board() {
    if (isShut.value && known.value) return html`<${SignIn} done=${reconnect} />`;
    if (!isLoaded.value) return html`<p class="board-note" role="status">${t('display.wait')}</p>`;
    if (liveness.value === 'stale' || liveness.value === 'paused') return html`<${NoData} />`;
    if (!only) {
        return html`<h1 class="unseen">${t('floors')}</h1><ul
            class=${`board of-${activeFloors.value.length}`}>
            ${activeFloors.value.map((floor) =>
                html`<li key=${floor.id}><${Panel} floor=${floor} /></li>`)}</ul>`;
    }
    const floor = floorsById.value.get(only);
    return floor ? html`<${Panel} floor=${floor} isAlone=${true} />`
        : html`<p class="board-note" role="alert">${t('display.no-floor', { id: only })}</p>`;
}

/** Nothing that was true once is shown as if it were true now. */
function NoData() {
    return html`<div class="board-note stale" role="alert">
        <p class="dash" aria-hidden="true">–</p>
        <p>${t('display.stale', { since: seconds(heard.value) })}</p>
        <p class="small">${seconds(now.value)}</p></div>`;
}

/** @param {{ floor: import('./state.js').Floor, isAlone?: boolean }} props */
function Panel({ floor, isAlone = false }) {
    const isFull = floor.available_slots <= 0;
    const isShown = floor.is_active && !isFull;
    const best = recommended.value;
    const heading = isAlone ? 'h1' : 'h2';
    return html`<section class=${`panel ${isShown ? 'free' : 'full'} ${isAlone ? 'alone' : ''}`}
            aria-label=${floor.name}>
        <${heading}>${!isAlone && best?.id === floor.id
            && html`<span class="arrow" aria-hidden="true">➜ </span>`}${floor.name}<//>
        <p class="digits">${!floor.is_active ? t('display.closed')
            : isFull ? t('full') : number(floor.available_slots)}</p>
        <p class="words">${isShown ? t('display.free', { n: floor.available_slots }) : ' '}</p>
        ${isAlone && best && best.id !== floor.id && html`<p class="instead">
            <span class="arrow" aria-hidden="true">➜</span> ${best.name}
            <span class="count">${number(best.available_slots)}</span></p>`}
    </section>`;
}

render(html`<${Board} />`, document.querySelector('#board'));
await readSession();
startLive();
startKeeping();
