// The top of the page: whose site it is, where to go, whether what is shown is live.
import { html } from '../html.js';
import { language, languages, speak, t } from '../i18n.js';
import { heard, liveness, now } from '../live.js';
import { mayChange, session, signOut } from '../session.js';
import { clock, duration, seconds } from '../format.js';
import { notices } from '../attention.js';
import { ask } from './dialogs.js';
import { Menu } from './menu.js';
import { ThemeChoice } from './theme_choice.js';

export const views = ['now', 'history', 'events', 'cameras', 'attention'];

/** @param {{ view: string, site: string }} props */
export function Header({ view, site }) {
    return html`<header class="top"><a class="skip" href="#main">${t('skip')}</a><div>
        <p class="brand"><span class="logo" aria-hidden="true">P</span>${site}</p>
        <nav aria-label=${t('nav')}>
            ${views.map((name) => html`<a key=${name} href=${`#${name}`}
                aria-current=${name === view ? 'page' : undefined}>${t(`nav.${name}`)}
                ${name === 'attention' && html`<${Needed} />`}</a>`)}
        </nav>
        <${Status} />
        <${Menu} text=${`${t('menu')} ▾`}>${(choose) => html`<${MenuItems} choose=${choose} />`}<//>
    </div></header>`;
}

/** How many things need somebody. */
function Needed() {
    const n = notices.value.length;
    if (!n) return null;
    return html`${' '}<span class="count"><span aria-hidden="true">${n}</span
        ><span class="unseen">${t('attention.count', { n })}</span></span>`;
}

/** Whether the numbers are those of now. */
function Status() {
    const kind = liveness.value;
    return html`<p class=${`status ${kind}`}><span class="dot" aria-hidden="true"></span>
        <span role="status">${t(`live.${kind}`, { since: since(kind) })}</span>
        ${kind === 'live' && html`<span aria-hidden="true">${clock(now.value)}</span>`}</p>`;
}

const since = (kind) => (kind === 'stale' ? seconds(heard.value) : '');

/** Said over everything where the numbers are old. */
export function Staleness() {
    if (liveness.value !== 'stale') return null;
    const age = duration(now.value - heard.value);
    return html`<div class="stale-note" role="alert">
        <strong>${t('stale.title', { since: seconds(heard.value) })}</strong>
        <span>${t('stale.detail')}</span><span aria-hidden="true">${t('stale.age', { age })}</span>
    </div>`;
}

/** How the page looks and speaks, who looks at it, and what else there is. */
function MenuItems({ choose }) {
    const { auth, name, role } = session.value;
    const isSignedIn = auth === 'key' && role;
    return html`${isSignedIn && html`<p class="session">${name} · ${t(`role.${role}`)}</p>`}
        ${isSignedIn && !mayChange.value && html`<p class="small">${t('menu.look')}</p>`}
        <${ThemeChoice} />
        <label>${t('language')}
            <select value=${language.value} onChange=${(e) => speak(e.target.value)}>
                ${languages.map(([tag, name]) =>
                    html`<option key=${tag} value=${tag} lang=${tag}>${name}</option>`)}
            </select></label>
        ${mayChange.value && html`<button type="button" onClick=${choose(() => ask('floor'))}>
            ${t('floor.add')}</button>`}
        <a href="display">${t('link.display')}</a><a href="docs">${t('link.docs')}</a>
        ${isSignedIn && html`<button type="button" onClick=${choose(signOut)}>
            ${t('sign-out')}</button>`}`;
}

/** The bottom of the page: what else there is. */
export function Footer() {
    return html`<footer><a href="display">${t('link.display')}</a>
        <a href="docs">${t('link.docs')}</a></footer>`;
}
