// Keeps the screen of a board on, where the browser lets a page do that.

/** Asks now, and again each time the page is seen: a browser lets go of it when it is hidden. */
export function startKeeping() {
    const keep = () => {
        if (document.hidden || !('wakeLock' in navigator)) return;
        // Refused, or not on a secure address: the screen's own settings decide then.
        navigator.wakeLock.request('screen').catch(() => {});
    };
    document.addEventListener('visibilitychange', keep);
    keep();
}
