// A recount: what somebody counted, and why. Asked once more before the count changes.
import { html, useState } from '../html.js';
import { t } from '../i18n.js';
import { call } from '../api.js';
import { number, signed } from '../format.js';
import { floorsById } from '../state.js';
import { Dialog } from './dialogs.js';
import { Buttons, Fault, Field, onSubmit, useSending } from './form.js';

export function RecountDialog({ floor, close }) {
    const [entered, enter] = useState(null);
    const { problem, isBusy, send, clear } = useSending(close);
    const current = floorsById.value.get(floor.id) ?? floor;
    const isAsked = entered && !problem;
    const change = () => send(() => call('PUT', `/floors/${floor.id}/count`, {
        current_vehicles: Number(entered.current_vehicles), reason: entered.reason,
    }));
    const take = (fields) => {
        clear();
        enter(fields);
    };
    const title = t('recount.title', { floor: current.name });
    return html`<${Dialog} title=${title} close=${close}>${isAsked
        ? html`<${Sure} floor=${current} count=${Number(entered.current_vehicles)} isBusy=${isBusy}
            change=${change} back=${() => enter(null)} />`
        : html`<form onSubmit=${onSubmit(take)}>
            <p>${t('recount.now', { n: current.current_vehicles,
                shown: number(current.current_vehicles), total: number(current.total_slots) })}</p>
            <${Field} label=${t('recount.count')} name="current_vehicles" type="number" min="0"
                max=${current.total_slots} step="1" inputmode="numeric" required autofocus
                value=${entered?.current_vehicles} problem=${problem} />
            <${Field} label=${t('recount.reason')} name="reason" maxlength="1000" required
                value=${entered?.reason} hint=${t('recount.hint')} problem=${problem} />
            <${Fault} problem=${problem} />
            <${Buttons} label=${t('continue')} isBusy=${isBusy} back=${close} />
        </form>`}<//>`;
}

function Sure({ floor, count, isBusy, change, back }) {
    return html`<form onSubmit=${onSubmit(change)}>
        <p class="sure"><strong>${t('sure.count', { floor: floor.name,
            before: number(floor.current_vehicles), after: number(count),
            moved: signed(count - floor.current_vehicles) })}</strong></p>
        <p>${t('sure.recount')}</p>
        <${Buttons} label=${t('sure.change')} isBusy=${isBusy} back=${back}
            backLabel=${t('back')} isGrave=${true} />
    </form>`;
}
