// What the page remembers of its reader's choices, in this browser. Where a browser keeps nothing
// (a private window, a full disk), the choices hold until the page is closed.

/** @param {string} name */
export function recall(name) {
    try {
        return localStorage.getItem(`smartpark.${name}`) ?? undefined;
    } catch {
        return undefined;
    }
}

/**
 * @param {string} name
 * @param {string | undefined} value nothing forgets it
 */
export function remember(name, value) {
    try {
        if (value === undefined) localStorage.removeItem(`smartpark.${name}`);
        else localStorage.setItem(`smartpark.${name}`, value);
    } catch {
        // It holds until the page is closed.
    }
}
