// A button that opens a short list of actions. Escape, or a press elsewhere, closes it.
import { html, useEffect, useRef, useState } from '../html.js';

/** @param {{ label?: string, text: unknown, children: (choose: (work: () => void) => () => void)
 *   => unknown }} props `choose` makes of work what closes the list and does it */
export function Menu({ label, text, children }) {
    const [isOpen, open] = useState(false);
    const place = useRef(null);
    useEffect(() => {
        if (!isOpen) return undefined;
        const away = (event) => {
            if (!place.current?.contains(event.target)) open(false);
        };
        document.addEventListener('pointerdown', away);
        return () => document.removeEventListener('pointerdown', away);
    }, [isOpen]);
    // The focus stays in reach: a dialog that closes gives it back to the button.
    const choose = (work) => () => {
        open(false);
        place.current?.querySelector('button').focus();
        work();
    };
    const onKeyDown = (event) => event.key === 'Escape' && isOpen && choose(() => {})();
    const onFocusOut = ({ relatedTarget: to }) => {
        if (to instanceof Node && !place.current?.contains(to)) open(false);
    };
    return html`<div class="menu" ref=${place} onKeyDown=${onKeyDown} onFocusOut=${onFocusOut}>
        <button type="button" aria-label=${label} aria-expanded=${isOpen ? 'true' : 'false'}
            onClick=${() => open(!isOpen)}>${text}</button>
        ${isOpen && html`<div class="menu-items">${children(choose)}</div>`}
    </div>`;
}
