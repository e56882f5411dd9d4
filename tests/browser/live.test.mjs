// What happens shows at once, and a server that goes and comes back needs nobody at the page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, card, entries, event, isLive, launch, open, shows } from './harness.mjs';

/** A car is shown within a second of its event. */
const SOON = { timeout: 1_000 };

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
    await browser.close();
    await server.stop();
});

test('an event changes the number, the slots, the line and the flow', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    const floor = card(page, 1);
    const seen = async () => ({
        free: Number(await floor.locator('.digits').textContent()),
        taken: await floor.locator('.bar > div').first()
            .evaluate((bar) => bar.getBoundingClientRect().width),
        line: await floor.locator('.day-chart .today').getAttribute('d'),
        site: Number(await page.locator('.figure.main .num').textContent()),
        came: Number(await page.locator('.flow .in').textContent()),
    });
    await floor.locator('.day-chart .today').waitFor({ state: 'attached' });
    await page.locator('.flow .in', { hasText: /\d/ }).waitFor();
    const start = await seen();
    const car = event({ track_id: 'seen_at_once' });
    await server.post(car);
    await floor.locator('.digits', { hasText: String(start.free - 1) }).waitFor(SOON);
    await page.locator('.figure.main .num', { hasText: String(start.site - 1) }).waitFor(SOON);
    await page.locator('.flow .in', { hasText: String(start.came + 1) }).waitFor(SOON);
    const end = await seen();
    assert.ok(end.taken > start.taken, 'the bar grows');
    assert.notEqual(end.line, start.line);
    await close();
});

test('an event changes the chart and the log', async () => {
    const { page, close } = await open(browser, server, '/#history');
    await isLive(page);
    const chart = page.locator('.plot').first();
    await chart.locator('canvas').waitFor();
    const drawn = () => chart.locator('canvas').evaluate((canvas) => canvas.toDataURL());
    const label = await chart.getAttribute('aria-label');
    const picture = await drawn();
    await server.post(event());
    await page.waitForFunction(
        (before) => document.querySelector('.plot').ariaLabel !== before, label, SOON,
    );
    await page.waitForFunction(
        (before) => document.querySelector('.plot canvas').toDataURL() !== before, picture, SOON,
    );
    await page.goto(`${server.origin}/#events`);
    await page.locator('table.log').waitFor();
    await server.post(event({ track_id: 'in_the_log' }));
    await page.locator('table.log tbody tr.event', { hasText: 'in_the_log' }).first().waitFor(SOON);
    await close();
});

test('a full floor says so in words and is no alarm, and another is recommended', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    const { available_slots: room } = await server.call('GET', '/floors/1');
    await server.post(...entries(1, room));
    await shows(card(page, 1).locator('.digits'), 'Full');
    await shows(card(page, 1).locator('.state'), /^\s*Full( since \d\d:\d\d)?$/);
    await shows(page.locator('.next-floor'), 'First Floor');
    await shows(page.locator('.needs .well'), 'Nothing needs you.');
    assert.equal(await page.locator('.need').count(), 0);
    await close();
});

test('a killed server shows, and its return heals the page without a reload', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    await page.evaluate(() => { globalThis.sameLife = true; });
    await server.kill();
    await page.locator('.status.reconnecting').waitFor();
    await page.locator('.status.stale').waitFor({ timeout: 30_000 });
    await page.locator('.stale-note').waitFor();
    await server.run();
    const { available_slots: free } = await server.call('GET', '/floors/2');
    await server.post(event({ floor_id: 2 }));
    await isLive(page);
    await shows(card(page, 2).locator('.digits'), String(free - 1));
    await page.locator('.stale-note').waitFor({ state: 'detached' });
    assert.ok(await page.evaluate(() => globalThis.sameLife), 'the page was not loaded again');
    await close();
});

test('events of a time without connection are in the log, each once', async () => {
    const { page, close } = await open(browser, server, '/#events');
    await isLive(page);
    await page.locator('.pause').waitFor();
    await page.context().setOffline(true);
    await server.kill();
    await page.locator('.status.reconnecting').waitFor();
    await server.run();
    await server.post(event({ track_id: 'meanwhile', floor_id: 3 }));
    await page.context().setOffline(false);
    await isLive(page);
    await server.post(event({ track_id: 'afterwards', floor_id: 3 }));
    await shows(page.locator('table.log tr'), 'afterwards');
    await shows(page.locator('table.log tr'), 'meanwhile');
    assert.equal(await page.locator('table.log tr', { hasText: 'meanwhile' }).count(), 1);
    await close();
});

test('a hidden page lets go of its connection, and catches up when it is seen again', async () => {
    const { page, close } = await open(browser, server, '/#events');
    await page.clock.install();
    await page.goto(`${server.origin}/?clock#now`);
    await isLive(page);
    const show = (hidden) => page.evaluate((isHidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
        document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await show(true);
    await page.clock.fastForward(61_000);
    await page.locator('.status.paused').waitFor();
    const { available_slots: free } = await server.call('GET', '/floors/3');
    await server.post(event({ floor_id: 3 }));
    await show(false);
    await isLive(page);
    await shows(card(page, 3).locator('.digits'), String(free - 1));
    await close();
});

test('a floor that is removed while nobody listens is gone afterwards', async () => {
    const floor = await server.call('POST', '/floors', { name: 'For a moment', total_slots: 5 });
    const { page, close } = await open(browser, server);
    await isLive(page);
    await card(page, floor.id).waitFor();
    await page.context().setOffline(true);
    await server.kill();
    await page.locator('.status.reconnecting').waitFor();
    await server.run();
    await server.call('DELETE', `/floors/${floor.id}`);
    await page.context().setOffline(false);
    await card(page, floor.id).waitFor({ state: 'detached' });
    await close();
});
