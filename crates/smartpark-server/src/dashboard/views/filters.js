// What the log is filtered by, and the same events as a file.
import { html, useState } from '../html.js';
import { t } from '../i18n.js';
import { link } from '../api.js';
import { choose, filter, problem } from '../events_state.js';
import { emptyFilter } from '../log.js';
import { floors } from '../state.js';
import { Field, onSubmit } from './form.js';
import { instant, localInput } from './local_input.js';

const types = ['car', 'motorcycle', 'bus', 'truck'];

export function Filters() {
    // A form that is emptied is a new one.
    const [turn, renew] = useState(0);
    const chosen = filter.value;
    const take = (fields) => choose({
        ...fields, start: instant(fields.start), end: instant(fields.end),
    });
    const clear = () => {
        renew(turn + 1);
        choose(emptyFilter);
    };
    const pick = (name, options) => html`<${Field} as="select" name=${name} key=${name}
        label=${t(`filter.${name}`)} value=${chosen[name]} problem=${problem.value}>
        <option value="">${t('filter.all')}</option>${options.map(([value, label]) =>
            html`<option key=${value} value=${value}>${label}</option>`)}<//>`;
    const text = (name) => html`<${Field} name=${name} key=${name} label=${t(`filter.${name}`)}
        maxlength="100" value=${chosen[name]} problem=${problem.value} spellcheck="false" />`;
    const time = (name) => html`<${Field} name=${name} key=${name} label=${t(`filter.${name}`)}
        type="datetime-local" problem=${problem.value}
        value=${chosen[name] && localInput(new Date(chosen[name]))} />`;
    return html`<form class="filters" key=${turn} onSubmit=${onSubmit(take)}
            aria-label=${t('filter')}>
        ${pick('floor_id', floors.value.map((floor) => [String(floor.id), floor.name]))}
        ${pick('direction', ['entry', 'exit'].map((way) => [way, t(way)]))}
        ${pick('vehicle_type', types.map((type) => [type, t(`type.${type}`)]))}
        ${pick('at_limit', [['true', t('filter.limit.only')], ['false', t('filter.limit.not')]])}
        ${text('camera_id')} ${text('track_id')} ${time('start')} ${time('end')}
        <div class="buttons"><button type="submit">${t('filter.apply')}</button>
            <button type="button" class="quiet" onClick=${clear}>${t('filter.clear')}</button>
            <a class="download" download="events.csv"
                href=${link('/events.csv', { ...chosen, bom: true })}>
                ↓ ${t('csv')}</a></div>
    </form>`;
}
