// Adding and changing a floor. A capacity below the count cuts the count: asked once more.
import { html, useState } from '../html.js';
import { t } from '../i18n.js';
import { call } from '../api.js';
import { number } from '../format.js';
import { Dialog } from './dialogs.js';
import { Buttons, Fault, Field, onSubmit, useSending } from './form.js';

export function FloorDialog({ floor, close }) {
    const [entered, enter] = useState(null);
    const { problem, isBusy, send, clear } = useSending(close);
    const body = (fields) => ({
        name: fields.name, total_slots: Number(fields.total_slots),
        description: fields.description === '' ? null : fields.description,
    });
    const save = (fields, force) => {
        enter(fields);
        const whole = body(fields);
        send(() => (floor ? call('PATCH', `/floors/${floor.id}`, { ...whole, force })
            : call('POST', '/floors', whole)));
    };
    const cuts = problem?.kind === 'slots-below-count';
    const title = floor ? t('floor.edit', { floor: floor.name }) : t('floor.add');
    const first = entered ?? {
        name: floor?.name, total_slots: floor?.total_slots, description: floor?.description,
    };
    return html`<${Dialog} title=${title} close=${close}>${cuts
        ? html`<form onSubmit=${onSubmit(() => save(entered, true))}>
            <p class="sure"><strong>${t('sure.cut', { floor: floor.name,
                slots: number(Number(entered.total_slots)) })}</strong></p>
            <p>${problem.message}</p>
            <${Buttons} label=${t('sure.cut.change')} isBusy=${isBusy} back=${clear}
                backLabel=${t('back')} isGrave=${true} />
        </form>`
        : html`<form onSubmit=${onSubmit((fields) => save(fields, false))}>
            <${Field} label=${t('floor.name')} name="name" maxlength="100" required autofocus
                value=${first.name} problem=${problem} />
            <${Field} label=${t('floor.slots')} name="total_slots" type="number" min="0" step="1"
                max="1000000" inputmode="numeric" required value=${first.total_slots}
                hint=${floor && t('floor.slots.hint')} problem=${problem} />
            <${Field} label=${t('floor.description')} name="description" maxlength="1000"
                value=${first.description} problem=${problem} />
            <${Fault} problem=${problem} />
            <${Buttons} label=${t(floor ? 'save' : 'floor.add')} isBusy=${isBusy} back=${close} />
        </form>`}<//>`;
}
