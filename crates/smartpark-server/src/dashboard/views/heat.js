// The busiest hours of the week: how many vehicles cross the lines in an hour, on average.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { dayMonth, number, weekday } from '../format.js';
import { busiest } from '../history_state.js';

const LEVELS = 6;

export function Heat() {
    if (!busiest.value) return null;
    const { start, end, steps } = busiest.value;
    const cells = averages(steps);
    const most = Math.max(...cells.map((cell) => cell ?? 0));
    if (!most) return null;
    const hours = [...Array(24).keys()];
    const level = (value) => (value ? Math.ceil((value / most) * LEVELS) : 0);
    return html`<section class="heat" aria-labelledby="heat-title">
        <h2 id="heat-title">${t('heat')}</h2>
        <p class="small">${t('heat.what', { start: dayMonth(start), end: dayMonth(end) })}</p>
        <div class="scroll" tabindex="0" role="region" aria-labelledby="heat-title"><table>
            <thead><tr><td></td>${hours.map((hour) => html`<th scope="col" key=${hour}>
                ${String(hour).padStart(2, '0')}</th>`)}</tr></thead>
            <tbody>${[...Array(7).keys()].map((day) => html`<tr key=${day}>
                <th scope="row">${weekday(day)}</th>${hours.map((hour) => {
                    const value = cells[day * 24 + hour];
                    return html`<td key=${hour} class=${`heat-${level(value)}`}>
                        ${value ? number(value, value < 10 ? 1 : 0) : ''}</td>`;
                })}</tr>`)}
            </tbody></table></div>
    </section>`;
}

/** For each hour of the week, Monday first: vehicles in it, on average; null where it was not. */
export function averages(steps) {
    const [crossed, hours] = [Array(7 * 24).fill(0), Array(7 * 24).fill(0)];
    for (const step of steps) {
        const begin = new Date(step.start);
        const cell = ((begin.getDay() + 6) % 7) * 24 + begin.getHours();
        crossed[cell] += step.entries + step.exits;
        hours[cell] += 1;
    }
    return crossed.map((sum, cell) => (hours[cell] ? sum / hours[cell] : null));
}
