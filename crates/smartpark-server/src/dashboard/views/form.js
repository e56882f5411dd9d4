// Forms: fields that show what the server says of them, and sending with an answer in words.
import { html, useId, useState } from '../html.js';
import { t } from '../i18n.js';

/**
 * A labelled input. What is wrong with it stands under it.
 * @param {{ label: string, name: string, problem?: import('../api.js').Problem | null,
 *   hint?: string, [attribute: string]: unknown }} props
 */
export function Field({ label, name, problem, hint, as = 'input', children, ...attributes }) {
    const id = useId();
    const fault = problem?.fields[name];
    const about = [fault && `${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(' ');
    return html`<div class=${`field ${fault ? 'wrong' : ''}`}>
        <label for=${id}>${label}</label>
        <${as} id=${id} name=${name} aria-invalid=${fault ? 'true' : undefined}
            aria-describedby=${about || undefined} ...${attributes}>${children}<//>
        ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
        ${fault && html`<p class="fault" id=${`${id}-fault`}>${fault}</p>`}
    </div>`;
}

/** What is wrong with the whole, in words that say what to do. */
export function Fault({ problem }) {
    if (!problem) return null;
    const words = { 0: 'fault.unreachable', 401: 'fault.signed-out', 403: 'fault.forbidden' };
    const key = words[problem.status];
    return html`<p class="fault" role="alert">${key ? t(key) : problem.message}</p>`;
}

/**
 * Sends one thing at a time.
 * @returns {{ problem: import('../api.js').Problem | null, isBusy: boolean,
 *   send: (work: () => Promise<unknown>) => Promise<void>, clear: () => void }}
 */
export function useSending(done) {
    const [problem, setProblem] = useState(null);
    const [isBusy, setBusy] = useState(false);
    const send = async (work) => {
        setBusy(true);
        setProblem(null);
        try {
            await work();
        } catch (fault) {
            setBusy(false);
            setProblem(fault);
            return;
        }
        setBusy(false);
        done();
    };
    return { problem, isBusy, send, clear: () => setProblem(null) };
}

/** The buttons under a form. */
export function Buttons({ label, isBusy, back, backLabel = t('cancel'), isGrave = false }) {
    return html`<div class="buttons">
        <button type="button" class="quiet" onClick=${back}>${backLabel}</button>
        <button type="submit" class=${isGrave ? 'grave' : ''} disabled=${isBusy}>${label}</button>
    </div>`;
}

/** Takes a form's submission into the page's own hands. */
export const onSubmit = (work) => (event) => {
    event.preventDefault();
    work(Object.fromEntries(new FormData(event.target)));
};
