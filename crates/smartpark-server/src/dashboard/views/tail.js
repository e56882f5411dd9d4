// The latest events, beside the floors.
import { html, useEffect, useState } from '../html.js';
import { t } from '../i18n.js';
import { get } from '../api.js';
import { whenShort } from '../format.js';
import { onReload } from '../live.js';
import { floorName, fresh } from '../state.js';
import { Direction } from './event_cells.js';
import { newestFirst } from '../log.js';

const SHOWN = 8;

export function Tail() {
    const [events, show] = useState([]);
    useEffect(() => {
        const read = async () => {
            try {
                const { events: latest } = await get('/events', { limit: SHOWN });
                show((shown) => newestFirst(latest, shown, SHOWN));
            } catch {
                // What the stream tells is shown all the same.
            }
        };
        read();
        const stop = fresh.subscribe((events) => {
            if (events.length) show((shown) => newestFirst(events, shown, SHOWN));
        });
        const leave = onReload(read);
        return () => { stop(); leave(); };
    }, []);
    return html`<section class="tail" aria-labelledby="tail-title">
        <div class="section-head"><h2 id="tail-title">${t('tail')}</h2>
            <a href="#events">${t('tail.all')}</a></div>
        ${events.length === 0 && html`<p class="empty">${t('events.none')}</p>`}
        <ol>${events.map((event) => html`<li key=${event.id}>
            <time dateTime=${event.timestamp}>${whenShort(event.timestamp)}</time>
            <${Direction} event=${event} />
            <span class="where">${floorName(event.floor_id)}</span>
            <span class="camera">${event.camera_id}</span></li>`)}</ol>
    </section>`;
}
