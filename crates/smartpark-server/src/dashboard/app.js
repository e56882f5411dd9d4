// The page: what is shown follows the address, what is known follows the stream.
import { refusals } from './api.js';
import { startAttention } from './attention.js';
import { startEstimates } from './estimates.js';
import { html, effect, render, signal } from './html.js';
import { language, t } from './i18n.js';
import { readFloors, reconnect, startLive } from './live.js';
import { isShut, readSession } from './session.js';
import { startTrends } from './trends.js';
import { Dialogs } from './views/dialogs.js';
import { Events } from './views/events.js';
import { Footer, Header, Staleness, views } from './views/header.js';
import { History } from './views/history.js';
import { Attention } from './views/needs.js';
import { Now } from './views/now.js';
import { SignIn } from './views/sign_in.js';

const bodies = { now: Now, history: History, events: Events, attention: Attention };
const site = document.querySelector('meta[name=site]').getAttribute('content');

const addressed = () => {
    const name = location.hash.slice(1).split('?')[0];
    return views.includes(name) ? name : 'now';
};
const view = signal(addressed());

function App() {
    if (isShut.value) return html`<${SignIn} done=${begin} />`;
    const body = bodies[view.value];
    return html`<div class="app" key=${language.value}>
        <${Header} view=${view.value} site=${site} />
        <${Staleness} />
        <main id="main" tabindex="-1"><${body} /></main>
        <${Footer} />
        <${Dialogs} />
    </div>`;
}

/** Reads everything again, as somebody who has just signed in may. */
function begin() {
    reconnect();
    readFloors().catch(() => {});
}

addEventListener('hashchange', () => {
    // The link that jumps over the navigation leads to the body, not to another view.
    if (location.hash !== '#main') view.value = addressed();
});
effect(() => {
    document.title = `${t(`nav.${view.value}`)} · ${site}`;
});
// A key was revoked, or a session ended.
refusals.subscribe((n) => n > 0 && readSession());

render(html`<${App} />`, document.querySelector('#app'));
await readSession();
startLive();
startTrends();
startAttention();
startEstimates();
