// The top of the page: whose site it is, where to go, whether what is shown is live.
import { html } from '../html.js';
import { language, languages, speak, t } from '../i18n.js';
import { heard, liveness, now } from '../live.js';
import { session, signOut } from '../session.js';
import { duration, seconds } from '../format.js';
import { needed } from '../attention.js';
import { ThemeChoice } from './theme_choice.js';

export const views = ['now', 'history', 'events', 'attention'];

/** @param {{ view: string, site: string }} props */
export function Header({ view, site }) {
    return html`<header class="top">
        <a class="skip" href="#main">${t('skip')}</a>
        <p class="brand"><span class="logo" aria-hidden="true">P</span>${site}</p>
        <nav aria-label=${t('nav')}>
            ${views.map((name) => html`<a key=${name} href=${`#${name}`}
                aria-current=${name === view ? 'page' : undefined}>${t(`nav.${name}`)}
                ${name === 'attention' && html`<${Needed} />`}</a>`)}
        </nav>
        <${Status} />
        <${Session} />
    </header>`;
}

/** How many things need somebody. */
function Needed() {
    const n = needed.value.length;
    if (!n) return null;
    return html`${' '}<span class="count"><span aria-hidden="true">${n}</span
        ><span class="unseen">${t('attention.count', { n })}</span></span>`;
}

/** Whether the numbers are those of now. */
function Status() {
    const kind = liveness.value;
    return html`<p class=${`status ${kind}`} role="status">
        <span class="dot" aria-hidden="true"></span>${t(`live.${kind}`, { since: since(kind) })}
    </p>`;
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

function Session() {
    const { auth, name, role } = session.value;
    if (auth !== 'key' || !role) return null;
    return html`<p class="session"><span>${name} · ${t(`role.${role}`)}</span>
        <button type="button" class="quiet" onClick=${signOut}>${t('sign-out')}</button></p>`;
}

/** The bottom of the page: how it looks and speaks, and what else there is. */
export function Footer() {
    return html`<footer>
        <${ThemeChoice} />
        <label>${t('language')}
            <select value=${language.value} onChange=${(e) => speak(e.target.value)}>
                ${languages.map(([tag, name]) =>
                    html`<option key=${tag} value=${tag} lang=${tag}>${name}</option>`)}
            </select></label>
        <span class="links"><a href="display">${t('link.display')}</a>
            <a href="docs">${t('link.docs')}</a></span>
    </footer>`;
}
