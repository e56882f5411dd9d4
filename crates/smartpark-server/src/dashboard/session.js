// Who looks at the page, and what they may do.
import { Problem, call, get } from './api.js';
import { computed, signal } from './html.js';

/** `auth` is 'none' where the server runs without keys: then everybody may do everything. */
export const session = signal({ auth: 'none', role: null, name: null });
/** Whether the server has said who this is. */
export const known = signal(false);

/** Whether somebody must sign in first. */
export const isShut = computed(() => session.value.auth === 'key' && !session.value.role);
/** Whether counts and floors may be changed. */
export const mayChange = computed(
    () => known.value && (session.value.auth === 'none' || session.value.role === 'admin'),
);

/** Asks the server who this is. */
export async function readSession() {
    try {
        session.value = await get('/session');
        known.value = true;
    } catch (problem) {
        // A server that knows no sessions has no keys either.
        known.value ||= problem instanceof Problem && problem.status === 404;
    }
}

/** @param {string} key */
export async function signIn(key) {
    session.value = await call('POST', '/session', { key });
    known.value = true;
}

export async function signOut() {
    await call('DELETE', '/session');
    await readSession();
}
