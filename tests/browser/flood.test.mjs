// Ten thousand events in ten seconds: the page stays quick, its log bounded, its end right.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, card, event, isLive, launch, open, shows } from './harness.mjs';

const [ROUNDS, EACH] = [100, 100];
/** Longer than this nothing may keep the page from answering, in ms. */
const LONGEST_TASK = 200;

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** A hundred rounds of a hundred events, one round each tenth of a second. */
async function flood() {
    const begin = Date.now();
    for (let round = 0; round < ROUNDS; round += 1) {
        const cars = Array.from({ length: EACH }, (_, i) => event({
            floor_id: 1 + (i % 3), direction: (round + i) % 5 < 3 ? 'entry' : 'exit',
            timestamp: new Date(begin + round * 100 + i / 10).toISOString(),
        }));
        await server.post(...cars);
        // The pace is part of what is tested: it is awaited, not guessed.
        while (Date.now() < begin + (round + 1) * 100) await new Promise(setImmediate);
    }
}

for (const view of ['now', 'events', 'history']) {
    test(`a flood leaves ${view} responsive and right`, async () => {
        const { page, close } = await open(browser, server, `/#${view}`);
        await isLive(page);
        await page.locator('main .wait').waitFor({ state: 'detached' });
        await page.evaluate(() => {
            globalThis.tasks = [];
            new PerformanceObserver((list) => {
                globalThis.tasks.push(...list.getEntries().map((entry) => entry.duration));
            }).observe({ type: 'longtask' });
        });
        await flood();
        await server.post(event({ track_id: `last_${view}`, floor_id: 2 }));
        const rows = page.locator('table.log tbody tr');
        if (view === 'events') {
            await shows(rows, `last_${view}`);
            assert.ok(await rows.count() <= 500, 'the log is bounded');
        }
        const tasks = await page.evaluate(() => globalThis.tasks);
        const longest = Math.max(0, ...tasks);
        console.log(`${view}: ${tasks.length} long tasks, the longest ${Math.round(longest)} ms`);
        assert.ok(longest <= LONGEST_TASK, `a task took ${longest} ms`);
        await page.goto(`${server.origin}/#now`);
        const { floors } = await server.call('GET', '/floors');
        for (const floor of floors) {
            const free = floor.available_slots || 'Full';
            await shows(card(page, floor.id).locator('.digits'), new RegExp(`^\\s*${free}\\s*$`));
        }
        await close();
    });
}
