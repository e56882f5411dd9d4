// What the browser tests stand on: the real program on a port and a database of its own, and
// Debian's Chromium. Nothing here waits for a time: every wait is for a condition.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const root = new URL('../../', import.meta.url).pathname;
const program = process.env.SMARTPARK_PROGRAM ?? join(root, 'target/debug/smartpark');

/** A port that nobody uses now. */
export async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

/** The program as a server, which can be killed and started again on the same data. */
export class Server {
    /** @param {{ seed?: string, folder?: string }} [options] */
    static async start(options = {}) {
        const server = new Server();
        server.folder = options.folder ?? await mkdtemp(join(tmpdir(), 'smartpark-page-'));
        server.port = await freePort();
        server.origin = `http://127.0.0.1:${server.port}`;
        server.seed = options.seed ?? 'floors';
        await server.run();
        return server;
    }

    get database() {
        return `sqlite://${join(this.folder, 'smartpark.db')}`;
    }

    async run() {
        const listen = `127.0.0.1:${this.port}`;
        const options = ['serve', '--database', this.database, '--listen', listen];
        this.process = spawn(program, [...options, '--seed', this.seed], {
            stdio: ['ignore', 'ignore', 'pipe'],
        });
        const lines = createInterface({ input: this.process.stderr });
        const told = [];
        await new Promise((listening, failed) => {
            lines.on('line', (line) => {
                told.push(line);
                if (line.includes('listening on')) listening();
            });
            this.process.once('exit', () => failed(new Error(told.join('\n'))));
        });
    }

    /** Runs a command on its database; what it prints. */
    async command(...args) {
        const database = ['--database', this.database];
        return (await promisify(execFile)(program, [...args, ...database])).stdout.trim();
    }

    /** Ends it without a warning, as a power cut does. */
    async kill() {
        if (this.process.exitCode !== null || this.process.signalCode !== null) return;
        this.process.kill('SIGKILL');
        await once(this.process, 'exit');
    }

    async stop() {
        await this.kill();
        await rm(this.folder, { recursive: true, force: true });
    }

    /** A call that must succeed. */
    async call(method, path, body) {
        const response = await fetch(this.origin + path, {
            method, headers: { 'content-type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        const answer = await response.text();
        assert.ok(response.ok, `${method} ${path}: ${response.status} ${answer}`);
        return answer && JSON.parse(answer);
    }

    /** Records one event, or several. */
    post(...events) {
        return this.call('POST', '/events', events.length === 1 ? events[0] : events);
    }
}

let numbers = 0;

/** An event of now, each with a track of its own. */
export function event(fields = {}) {
    numbers += 1;
    return {
        camera_id: 'cam_001', floor_id: 1, track_id: `track_${numbers}`, vehicle_type: 'car',
        direction: 'entry', confidence: 0.9, timestamp: new Date().toISOString(), ...fields,
    };
}

/** Entries to a floor, so many of them. */
export const entries = (floor, count) =>
    Array.from({ length: count }, () => event({ floor_id: floor }));

/** A browser of its own, with a profile that is thrown away. */
export function launch() {
    return chromium.launch({
        executablePath: process.env.SMARTPARK_CHROMIUM ?? '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
}

/**
 * A page that fails the test where it logs an error, throws, breaks its policy, or asks anybody
 * but its server.
 * @param {import('playwright-core').Browser} browser @param {Server} server
 * @param {object} [options] of the browser's context
 */
export async function open(browser, server, path = '/', options = {}) {
    const context = await browser.newContext({
        viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/Berlin',
        reducedMotion: 'reduce', ...options,
    });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const faults = [];
    page.on('pageerror', (fault) => faults.push(`thrown: ${fault.message}`));
    page.on('console', (message) => {
        // A connection that broke, and an answer that is an error, are logged by the browser.
        const isNetwork = message.text().startsWith('Failed to load resource')
            || message.text().includes('net::ERR_');
        if (message.type() === 'error' && !isNetwork) faults.push(message.text());
    });
    page.on('request', (request) => {
        const isOurs = request.url().startsWith(server.origin) || request.url().startsWith('data:');
        if (!isOurs) faults.push(`asked for ${request.url()}`);
    });
    await page.goto(server.origin + path);
    return {
        page,
        /** Closes it, and fails where something was wrong. */
        close: async () => {
            await context.close();
            assert.deepEqual(faults, []);
        },
    };
}

/** Waits until the page shows what is live. */
export const isLive = (page) => page.locator('.status.live').waitFor();

/** The card of a floor. */
export const card = (page, floor) => page.locator(`[data-floor="${floor}"]`);

/** Chooses an action of a floor, which wait behind "⋯". */
export async function act(page, floor, name) {
    await page.getByRole('button', { name: `Actions for ${floor}`, exact: true }).click();
    await page.getByRole('button', { name, exact: true }).click();
}

/** Opens the menu of the page. */
export const openMenu = (page) => page.locator('.top .menu > button').click();

/** Waits until an element shows this text. */
export async function shows(locator, text) {
    const filtered = locator.filter({ hasText: text });
    await filtered.first().waitFor();
}
