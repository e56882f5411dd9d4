// A chart, drawn by uPlot: it follows the width of its place and the colours of the theme, tells
// what is under the pointer, and where a stretch was drawn it says which.
import { html, useEffect, useRef } from '../html.js';

// Not shown; only its colour is asked for.
const probe = document.createElement('span');
probe.hidden = true;

/** The colour of a custom property, as a canvas takes it. @param {string} name */
export function ink(name) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
}

/**
 * @param {{ data: (number | null)[][], options: object, label: string,
 *   tip: (plot: object, index: number) => string[],
 *   zoom: (start: Date, end: Date) => void }} props `options` as uPlot takes them
 */
export function Plot({ data, options, label, tip, zoom }) {
    const place = useRef(null);
    const plot = useRef(null);
    // What the hooks of the chart call is always of the latest drawing.
    const told = useRef({ tip, zoom });
    told.current = { tip, zoom };
    useEffect(() => {
        const box = place.current;
        const size = () => ({ width: Math.max(200, box.clientWidth), height: box.clientHeight });
        const made = new globalThis.uPlot({
            ...size(),
            legend: { show: false },
            cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false } },
            ...options,
            hooks: { setSelect: [(u) => select(u, told.current.zoom)] },
            plugins: [tooltip(told)],
        }, data, box);
        plot.current = made;
        const watch = new ResizeObserver(() => made.setSize(size()));
        watch.observe(box);
        const recolour = () => made.redraw(false);
        document.documentElement.addEventListener('themechange', recolour);
        return () => {
            watch.disconnect();
            document.documentElement.removeEventListener('themechange', recolour);
            made.destroy();
        };
    }, []);
    useEffect(() => { plot.current.setData(data); }, [data]);
    return html`<div class="plot" role="img" aria-label=${label} ref=${place}></div>`;
}

function select(u, zoom) {
    const { left, width } = u.select;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (width < 8) return;
    const at = (position) => new Date(u.posToVal(position, 'x') * 1000);
    zoom(at(left), at(left + width));
}

function tooltip(told) {
    const box = document.createElement('div');
    box.className = 'tip';
    box.hidden = true;
    const show = (u) => {
        const { idx, left } = u.cursor;
        const lines = idx == null || left < 0 ? [] : told.current.tip(u, idx);
        box.hidden = lines.length === 0;
        if (box.hidden) return;
        const line = (text) => Object.assign(document.createElement('p'), { textContent: text });
        box.replaceChildren(...lines.map(line));
        const isRight = left > u.over.clientWidth / 2;
        box.style.left = isRight ? '' : `${left + 12}px`;
        box.style.right = isRight ? `${u.over.clientWidth - left + 12}px` : '';
    };
    return { hooks: { init: (u) => u.over.appendChild(box), setCursor: show } };
}
