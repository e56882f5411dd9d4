// Closing a floor to the next cars, or opening it again. Its count goes on either way.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { call } from '../api.js';
import { Dialog } from './dialogs.js';
import { Buttons, Fault, onSubmit, useSending } from './form.js';

export function OpeningDialog({ floor, close }) {
    const { problem, isBusy, send } = useSending(close);
    const what = floor.is_active ? 'close-floor' : 'open-floor';
    const change = () =>
        send(() => call('PATCH', `/floors/${floor.id}`, { is_active: !floor.is_active }));
    return html`<${Dialog} title=${t(`${what}.title`, { floor: floor.name })} close=${close}>
        <form onSubmit=${onSubmit(change)}>
            <p>${t(`${what}.effect`)}</p>
            <${Fault} problem=${problem} />
            <${Buttons} label=${t(what)} isBusy=${isBusy} back=${close} />
        </form><//>`;
}
