// Asks for a key where the server wants one and nobody is signed in.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { signIn } from '../session.js';
import { Dialog } from './dialogs.js';
import { Field, onSubmit, useSending } from './form.js';

/** @param {{ done: () => void }} props called once somebody is signed in */
export function SignIn({ done }) {
    const { problem, isBusy, send } = useSending(done);
    const wrong = problem?.status === 401;
    const words = wrong ? t('sign-in.wrong')
        : problem?.status === 0 ? t('fault.unreachable') : problem?.message;
    const shown = problem && { fields: { key: words } };
    return html`<${Dialog} title=${t('sign-in')} className="sign-in">
        <form onSubmit=${onSubmit(({ key }) => send(() => signIn(key)))}>
            <p>${t('sign-in.why')}</p>
            <${Field} label=${t('sign-in.key')} name="key" type="password" required autofocus
                autocomplete="current-password" spellcheck="false" problem=${shown} />
            <div class="buttons"><button type="submit" disabled=${isBusy}>${t('sign-in')}</button>
            </div>
        </form><//>`;
}
