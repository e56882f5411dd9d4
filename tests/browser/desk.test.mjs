// The day at the desk: is today usual, who changed what, which camera needs a person.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, card, event, isLive, launch, open, shows } from './harness.mjs';

const HOUR = 3_600_000;

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
    await browser.close();
    await server.stop();
});

test('the log says who changed a count, from what to what, and why', async () => {
    await server.post(event(), event());
    await server.call('PUT', '/floors/1/count', { current_vehicles: 7, reason: 'Walked it, Ann' });
    const { page, close } = await open(browser, server);
    await isLive(page);
    await shows(page.locator('.changed-by li'), /Ground Floor counted 2 → 7\s*Walked it, Ann/);
    await page.goto(`${server.origin}/#log`);
    const row = page.locator('table.log tr.changes-row');
    await shows(row, 'Walked it, Ann');
    await shows(row, '2 → 7');
    // An hour tells what happened in it; a filter for a camera leaves changes out.
    await shows(page.locator('table.log tr.hour'), /2 in · 0 out · [2-9] changes/);
    await page.getByLabel('Camera').fill('cam_001');
    await page.getByRole('button', { name: 'Filter' }).click();
    await row.waitFor({ state: 'detached' });
    await close();
});

test('a camera whose clock is an hour behind is seen', async () => {
    for (let car = 0; car < 6; car += 1) {
        const timestamp = new Date(Date.now() - HOUR).toISOString();
        await server.post(event({ camera_id: 'gate', timestamp }));
    }
    const { page, close } = await open(browser, server, '/#cameras');
    const row = page.locator('table.cameras tr', { hasText: 'gate' });
    await shows(row, 'Clock is 1 h behind');
    await shows(row, '−1 h');
    await shows(page.locator('.sum'), '1 need a person');
    await row.getByRole('link').click();
    await shows(page.locator('table.log tr.event'), 'gate');
    assert.equal(await page.getByLabel('Camera').inputValue(), 'gate');
    await close();
});

test('the chart of the day is read with the arrow keys', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    const chart = page.getByRole('slider');
    await chart.focus();
    const value = () => chart.getAttribute('aria-valuetext');
    assert.match(await value(), /^\d\d:\d\d, \d+ vehicles?$/);
    const before = await value();
    await page.keyboard.press('Home');
    await page.locator('.day-chart .cursor').waitFor({ state: 'attached' });
    assert.notEqual(await value(), before);
    await page.keyboard.press('Escape');
    await page.locator('.day-chart .cursor').waitFor({ state: 'detached' });
    await close();
});

test('many floors are a section of the building, in which the free ones stand out', async () => {
    for (let n = 1; n <= 6; n += 1) {
        await server.call('POST', '/floors', { name: `Level ${n}`, total_slots: n * 20 });
    }
    await server.call('PUT', '/floors/5/count', { current_vehicles: 20, reason: 'test' });
    const { page, close } = await open(browser, server);
    await isLive(page);
    const names = page.locator('.building tbody th');
    await names.first().waitFor();
    // The roof is on top: the floor that was made last.
    assert.equal(await names.first().textContent(), 'Level 6');
    await shows(card(page, 5).locator('.digits'), 'Full');
    const colour = (id) => card(page, id).locator('.digits')
        .evaluate((digits) => getComputedStyle(digits).color);
    assert.notEqual(await colour(5), await colour(10));
    const width = (id) => card(page, id).locator('.bar')
        .evaluate((bar) => bar.getBoundingClientRect().width);
    const ratio = await width(10) / await width(7);
    assert.ok(ratio > 1.8 && ratio < 2.2, `bars of 120 and 60 slots: ${ratio}`);
    await close();
});
