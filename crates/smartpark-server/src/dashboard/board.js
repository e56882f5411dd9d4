// Which floors a board shows, and how a board is signed in: pure but for the address and session.
import { session, signIn, signOut } from './session.js';

/** So many rows can be read at ten metres. */
const MOST_ROWS = 5;

/** The floors that an address asks for: `?floor=2` or `?floors=1,3`; null means all.
 *  @param {string} search @returns {number[] | null} */
export function askedFloors(search) {
    const query = new URLSearchParams(search);
    const ids = (query.get('floors') ?? query.get('floor') ?? '').split(',')
        .map(Number).filter((id) => Number.isInteger(id) && id > 0);
    return ids.length ? ids : null;
}

/** The rows of a board: all if they are few, else the way to go and those with most room, in the
 *  order of the building.
 *  @param {import('./state.js').Floor[]} floors @param {number | undefined} best */
export function boardRows(floors, best) {
    if (floors.length <= MOST_ROWS) return floors;
    const rank = (floor) => (floor.id === best ? Infinity
        : floor.is_active ? floor.available_slots : -1);
    const kept = new Set([...floors].sort((a, b) => rank(b) - rank(a)).slice(0, MOST_ROWS));
    return floors.filter((floor) => kept.has(floor));
}

/**
 * Signs in with the key of a link (`#key=…`), which no log of a server sees, and takes it out of
 * the address. A board takes only keys that may look and nothing else.
 * @returns {Promise<'none' | 'good' | 'refused'>}
 */
export async function signInByLink() {
    const key = new URLSearchParams(location.hash.slice(1)).get('key');
    if (!key) return 'none';
    history.replaceState(null, '', location.pathname + location.search);
    try {
        await signIn(key);
    } catch {
        return 'refused';
    }
    if (session.value.role === 'viewer') return 'good';
    await signOut().catch(() => {});
    return 'refused';
}
