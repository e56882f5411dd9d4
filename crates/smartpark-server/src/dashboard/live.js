// The live stream, kept open: floors, site and events as they are committed. It knows how old what
// it shows is, and says so: the server is heard every five seconds, however little happens.
import { get } from './api.js';
import { batch, signal } from './html.js';
import { readSession } from './session.js';
import { keepFloors, putEvents, putFloors, putSite } from './state.js';

/** Without a word for so long, what is shown counts as old. Two heartbeats and some more. */
const STALE_AFTER = 12_000;
/** A page that is hidden for so long lets go of its connection: browsers keep only six. */
const PAUSE_AFTER = 60_000;
/** The pauses between attempts, where the browser does not try again by itself. */
const PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000];
/** Events go to the log this often at most: faster than anybody reads. */
const LOG_EVERY = 200;
/** Events that wait for the log; older ones are read from the server by who wants them. */
const MOST_WAITING = 500;

/** One of 'connecting', 'live', 'reconnecting', 'stale', 'paused'. */
export const liveness = signal('connecting');
/** When the server was last heard, in ms of this clock; 0 before it ever was. */
export const heard = signal(0);
/** This clock, once a second. */
export const now = signal(Date.now());
/** How far the server's clock is ahead, in ms. */
let ahead = 0;
/** The server's time, in ms. */
export const serverNow = () => Date.now() + ahead;

/** Called where events may have been missed: what was read before is to be read again. */
const reloaders = new Set();
/** @param {() => void} reload @returns {() => void} stops it */
export function onReload(reload) {
    reloaders.add(reload);
    return () => reloaders.delete(reload);
}
const reloadAll = () => reloaders.forEach((reload) => reload());

/** @type {EventSource | undefined} */
let source;
let position = '';
let lastHeard = 0;
let attempt = 0;
let retry;
let hiddenSince = 0;
/** Whether the floors of a connection that is just open are still coming, and which came. */
let opened = false;
let seen = new Set();

/** Opens the stream, and keeps it open for as long as the page is there. */
export function startLive() {
    document.addEventListener('visibilitychange', visibility);
    addEventListener('online', () => reconnect());
    setInterval(look, 1_000);
    if (document.hidden) visibility();
    else connect();
}

/** Begins again with a new connection, as after signing in. */
export function reconnect() {
    attempt = 0;
    if (liveness.value !== 'paused') connect();
}

function connect() {
    clearTimeout(retry);
    source?.close();
    opened = false;
    const query = position ? `?after=${encodeURIComponent(position)}` : '';
    const stream = new EventSource(`stream${query}`);
    source = stream;
    const on = (name, take) => stream.addEventListener(name, (message) => {
        if (stream !== source) return;
        lastHeard = Date.now();
        if (message.lastEventId) position = message.lastEventId;
        take(JSON.parse(message.data));
    });
    stream.addEventListener('open', () => {
        attempt = 0;
        opened = true;
        seen = new Set();
    });
    stream.addEventListener('error', () => {
        if (stream === source) broken(stream);
    });
    on('floor', (floor) => {
        seen.add(floor.id);
        waiting.floors.set(floor.id, floor);
        soon();
    });
    on('floor_removed', ({ id }) => {
        waiting.floors.set(id, null);
        soon();
    });
    on('site', (site) => {
        waiting.site = site;
        // The first comes after all floors: what was not among them was removed meanwhile.
        if (opened) waiting.only = seen;
        opened = false;
        soon();
    });
    on('event', (event) => {
        waiting.events.push(event);
        if (waiting.events.length > MOST_WAITING) waiting.events.shift();
        soon();
    });
    on('reload', reloadAll);
    on('heartbeat', (beat) => {
        ahead = Date.parse(beat.now) - Date.now();
        look();
    });
}


/** The browser tries again by itself, unless the server answered something else than a stream. */
function broken(stream) {
    look();
    if (stream.readyState !== EventSource.CLOSED) return;
    // Perhaps nobody is signed in any more; the page asks for a key then.
    readSession();
    clearTimeout(retry);
    retry = setTimeout(connect, PAUSES[Math.min(attempt, PAUSES.length - 1)]);
    attempt += 1;
}

/** Says how things stand. */
function look() {
    const age = Date.now() - lastHeard;
    batch(() => {
        now.value = Date.now();
        heard.value = lastHeard;
        if (liveness.value === 'paused') return;
        const open = source?.readyState === EventSource.OPEN;
        if (open && lastHeard && age < STALE_AFTER) liveness.value = 'live';
        else if (!lastHeard) liveness.value = 'connecting';
        else liveness.value = age < STALE_AFTER ? 'reconnecting' : 'stale';
    });
    // A connection that looks open and says nothing: the other end is gone without a word.
    const mute = source?.readyState === EventSource.OPEN && lastHeard && age > STALE_AFTER;
    if (mute && age % (2 * STALE_AFTER) < 1_000) connect();
    const hidden = document.hidden && Date.now() - hiddenSince > PAUSE_AFTER;
    if (hidden && liveness.value !== 'paused') pause();
}

function pause() {
    clearTimeout(retry);
    source?.close();
    source = undefined;
    // What was missed meanwhile may be much: it is read again rather than told one by one.
    position = '';
    liveness.value = 'paused';
}

function visibility() {
    if (document.hidden) {
        hiddenSince = Date.now();
        if (!source) liveness.value = 'paused';
        return;
    }
    if (liveness.value !== 'paused') return;
    liveness.value = lastHeard ? 'reconnecting' : 'connecting';
    connect();
    reloadAll();
}

/** What came and is not drawn yet: floors once a frame, events every few frames. */
const waiting = { floors: new Map(), site: null, only: null, events: [] };
let isDue = false;
let logged = 0;
let logTimer;

function soon() {
    if (isDue) return;
    isDue = true;
    // A hidden page has no frames.
    if (document.hidden) setTimeout(draw, LOG_EVERY);
    else requestAnimationFrame(draw);
}

function draw() {
    isDue = false;
    const { floors, site, only } = waiting;
    waiting.floors = new Map();
    waiting.site = null;
    waiting.only = null;
    batch(() => {
        if (floors.size) putFloors(floors, serverNow());
        if (only) keepFloors(only);
        if (site) putSite(site);
    });
    look();
    const wait = logged + LOG_EVERY - Date.now();
    if (!waiting.events.length) return;
    clearTimeout(logTimer);
    if (wait <= 0) log();
    else logTimer = setTimeout(log, wait);
}

function log() {
    logged = Date.now();
    const { events } = waiting;
    waiting.events = [];
    putEvents(events);
}

/** The floors and the site by an ordinary call, for a page whose stream is not there yet. */
export async function readFloors() {
    const { floors } = await get('/floors', { include_inactive: true });
    putFloors(new Map(floors.map((floor) => [floor.id, floor])), serverNow());
}
