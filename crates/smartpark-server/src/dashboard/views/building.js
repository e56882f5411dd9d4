// Many floors: the building in section, in the order in which they were made, the last on top. The
// free ones stand out; a bar is as long as its floor is big.
import { html } from '../html.js';
import { t } from '../i18n.js';
import { clock, number } from '../format.js';
import { floors, fullness } from '../state.js';
import { Bays } from './bays.js';
import { FloorActions, fullSince } from './floor_state.js';
import { ClosedMark, FullMark, SoonMark } from './marks.js';
import { between, likelyFree, outlook } from './outlook.js';

/** The shortest bar, in percent of the longest. */
const SHORTEST = 12;

export function Building() {
    const all = [...floors.value].reverse();
    const most = Math.max(1, ...all.map((floor) => floor.total_slots));
    return html`<section class="panel building" aria-label=${t('floors')}><table>
        <thead><tr><th scope="col">${t('floor')}</th>
            <th scope="col" class="n">${t('building.free')}</th>
            <th scope="col"><span class="unseen">${t('floor.slots')}</span></th>
            <th scope="col">${t('building.taken')}</th><th scope="col">${t('full')}</th>
            <th scope="col"><span class="unseen">${t('building.actions')}</span></th></tr></thead>
        <tbody>${all.map((floor) =>
            html`<${Row} key=${floor.id} floor=${floor} most=${most} />`)}
        </tbody></table></section>`;
}

function Row({ floor, most }) {
    const state = floor.is_active ? fullness(floor) : 'closed';
    const width = Math.max(SHORTEST, (floor.total_slots / most) * 100);
    return html`<tr class=${`floor-row ${state}`} data-floor=${floor.id}>
        <th scope="row">${floor.name}</th>
        <td class="n"><${Free} floor=${floor} state=${state} /></td>
        <td class="of small">${t('of', { total: number(floor.total_slots) })}</td>
        <td class="how"><div style=${{ width: `${width}%` }}>
            <${Bays} floor=${floor} state=${state} asBar=${true}
            between=${floor.is_active ? between(floor) : null} /></div></td>
        <td class="when small"><${When} floor=${floor} state=${state} /></td>
        <td class="act-cell"><${FloorActions} floor=${floor} /></td></tr>`;
}

function Free({ floor, state }) {
    if (state === 'closed') {
        return html`<span class="state closed"><${ClosedMark} /> <span class="digits">
            ${t('closed')}</span></span>`;
    }
    if (state === 'full' && floor.total_slots > 0) {
        return html`<span class="state full"><${FullMark} /> <span class="digits">${t('full')}</span
            ></span>`;
    }
    return html`<span class=${`digits num ${state}`}>${number(floor.available_slots)}</span>`;
}

/** Since when it is full, or when it may be. */
function When({ floor, state }) {
    if (state === 'closed') return null;
    if (state === 'full') {
        const since = fullSince(floor);
        return since && t('since.time', { time: clock(since) });
    }
    const next = outlook(floor);
    if (next && next.key !== 'room') {
        return html`<span class="state nearly"><${SoonMark} /> ${next.text}</span>`;
    }
    return likelyFree(floor);
}
