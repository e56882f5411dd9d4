// What is read from the server again and again while the page is seen.
import { signal } from './html.js';
import { now, onReload } from './live.js';

/**
 * @template T
 * @param {() => Promise<T>} read @param {number} every in ms
 * @returns {{ value: import('./vendor/signals.js').Signal<T | null>, isKnown:
 *   import('./vendor/signals.js').Signal<boolean>, start: () => () => void,
 *   ask: () => Promise<void> }} `isKnown` says whether the last question was answered
 */
export function polled(read, every) {
    const value = signal(null);
    const isKnown = signal(true);
    let asked = 0;
    const ask = async () => {
        asked = Date.now();
        try {
            value.value = await read();
            isKnown.value = true;
        } catch {
            // What was known is shown until the next answer.
            isKnown.value = false;
        }
    };
    const start = () => {
        const leave = onReload(ask);
        const stop = now.subscribe((time) => {
            if (!document.hidden && time - asked >= every) ask();
        });
        return () => { leave(); stop(); };
    };
    return { value, isKnown, start, ask };
}
