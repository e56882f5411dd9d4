// Light, dark, or as the system says.
import { html, useState } from '../html.js';
import { t } from '../i18n.js';

export function ThemeChoice() {
    const { theme } = /** @type {any} */ (globalThis);
    const [chosen, choose] = useState(theme.get());
    const take = (event) => {
        theme.set(event.target.value);
        choose(event.target.value);
    };
    return html`<label>${t('theme')}
        <select class="theme" value=${chosen} onChange=${take}>
            ${theme.choices.map((choice) =>
                html`<option key=${choice} value=${choice}>${t(`theme.${choice}`)}</option>`)}
        </select></label>`;
}
