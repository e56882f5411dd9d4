// Calls to the server. What it answers to a call that fails is a problem document: its words, and
// the fields at fault.
import { signal } from './html.js';

/** Counts the answers that said that nobody is signed in: the page asks for a key then. */
export const refusals = signal(0);

/** An answer that is a problem, or no answer at all (status 0). */
export class Problem extends Error {
    /** @param {{ status?: number, type?: string, detail?: string, title?: string,
     *            errors?: { pointer: string, detail: string }[] }} document */
    constructor(document) {
        super(document.detail ?? document.title ?? '');
        this.status = document.status ?? 0;
        this.kind = (document.type ?? '').split(':').pop();
        /** What is wrong with each field, by its name. @type {Record<string, string>} */
        this.fields = {};
        for (const { pointer, detail } of document.errors ?? []) {
            this.fields[pointer.replace(/^#\/|^\?/, '')] = detail;
        }
    }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] sent as JSON
 */
export async function call(method, path, body) {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    let response;
    try {
        response = await fetch(relative(path), {
            method, headers, body: body === undefined ? undefined : JSON.stringify(body),
            cache: 'no-store', signal: AbortSignal.timeout(20_000),
        });
    } catch {
        throw new Problem({});
    }
    if (response.status === 204) return null;
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    if (response.status === 401 && path !== '/session') refusals.value += 1;
    throw new Problem({ status: response.status, title: response.statusText, ...answer });
}

/** @param {string} path @param {Record<string, unknown>} [query] what is empty is left out */
export const get = (path, query = {}) => call('GET', address(path, query));

/** A path of the server, relative to the page: a proxy may publish both under another path. */
const relative = (path) => path.replace(/^\//, '');

/** The address of a path with a query, for links and streams. */
export const link = (path, query = {}) => relative(address(path, query));

/** A path with a query. */
function address(path, query) {
    const given = Object.entries(query).filter(([, value]) => value !== '' && value != null);
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return given.length ? `${path}?${search}` : path;
}
