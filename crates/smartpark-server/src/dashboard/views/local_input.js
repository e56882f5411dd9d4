// Instants and what fields for local times take.

/** As a field takes it, in the reader's time zone, to the minute. @param {Date} when */
export function localInput(when) {
    const local = new Date(when.getTime() - when.getTimezoneOffset() * 60_000);
    return local.toISOString().slice(0, 16);
}

/** As the server takes it: an instant, or nothing where the field is empty.
 *  @param {string} local */
export const instant = (local) => (local ? new Date(local).toISOString() : '');
