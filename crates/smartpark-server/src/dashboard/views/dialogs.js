// What is asked of the user, one question at a time.
import { html, signal, useEffect, useId, useRef } from '../html.js';
import { t } from '../i18n.js';
import { floorsById } from '../state.js';
import { FloorDialog } from './floor_form.js';
import { OpeningDialog } from './opening_form.js';
import { RecountDialog } from './recount_form.js';

/** The question that is open: 'floor' (to add or change), 'recount', 'opening'. */
const asked = signal(null);

/** @param {'floor' | 'recount' | 'opening'} what @param {number} [id] the floor */
export function ask(what, id) {
    asked.value = { what, floor: floorsById.peek().get(id) };
}

const dialogs = { floor: FloorDialog, recount: RecountDialog, opening: OpeningDialog };

export function Dialogs() {
    if (!asked.value) return null;
    const { what, floor } = asked.value;
    const close = () => { asked.value = null; };
    return html`<${dialogs[what]} floor=${floor} close=${close} />`;
}

/**
 * A window over the page; Escape closes it, and the focus goes back to where it was.
 * @param {{ title: string, close?: () => void, className?: string, children?: unknown }} props
 */
export function Dialog({ title, close, className = '', children }) {
    const ref = useRef(null);
    const id = useId();
    useEffect(() => {
        const before = document.activeElement;
        ref.current.showModal();
        return () => before instanceof HTMLElement && before.focus();
    }, []);
    const cancel = (event) => {
        event.preventDefault();
        close?.();
    };
    return html`<dialog ref=${ref} class=${className} aria-labelledby=${id} onCancel=${cancel}>
        <div class="section-head"><h2 id=${id}>${title}</h2>${close && html`<button type="button"
            class="quiet" aria-label=${t('close')} onClick=${close}>✕</button>`}</div>
        ${children}
    </dialog>`;
}
