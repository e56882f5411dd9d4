// The board at the ramp: large, without controls, and never wrong for want of data.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, entries, event, launch, open, shows } from './harness.mjs';

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
    await browser.close();
    await server.stop();
});

test('one floor fills the screen, and a full one is red and shows the way', async () => {
    const { page, close } = await open(browser, server, '/display?floor=1');
    await shows(page.locator('.panel.free .digits'), '50');
    const size = await page.locator('.digits')
        .evaluate((digits) => parseFloat(getComputedStyle(digits).fontSize));
    assert.ok(size > 300, `digits of ${size} px`);
    assert.equal(await page.locator('button, a, input').count(), 0);
    await server.post(...entries(1, 50));
    await shows(page.locator('.panel.full .digits'), 'FULL');
    await shows(page.locator('.instead'), /➜\s*First Floor\s*45/);
    const red = await page.locator('.panel').evaluate((p) => getComputedStyle(p).backgroundColor);
    assert.equal(red, 'rgb(161, 15, 24)');
    await close();
});

test('all floors are shown, with an arrow at the recommended one', async () => {
    const { page, close } = await open(browser, server, '/display');
    await page.locator('.board > li').first().waitFor();
    assert.equal(await page.locator('.board > li').count(), 3);
    await shows(page.locator('h2', { has: page.locator('.arrow') }), 'First Floor');
    await server.call('PATCH', '/floors/2', { is_active: false });
    await page.waitForFunction(() => document.querySelectorAll('.board > li').length === 2);
    await server.call('PATCH', '/floors/2', { is_active: true });
    await close();
});

test('without data it says since when, not a number, and comes back by itself', async () => {
    const { page, close } = await open(browser, server, '/display?floor=2');
    await page.clock.install();
    await page.goto(`${server.origin}/display?floor=2&clock`);
    await page.locator('.panel .digits').waitFor();
    await server.kill();
    await page.clock.fastForward(15_000);
    await shows(page.locator('.board-note.stale'), 'No data since');
    assert.equal(await page.locator('.digits').count(), 0);
    await server.run();
    await page.locator('.panel .digits').waitFor();
    const { available_slots: free } = await server.call('GET', '/floors/2');
    await server.post(event({ floor_id: 2 }));
    await shows(page.locator('.digits'), String(free - 1));
    await close();
});

test('a floor that does not exist is told, not shown as free', async () => {
    const { page, close } = await open(browser, server, '/display?floor=99');
    await shows(page.locator('.board-note'), 'There is no floor 99.');
    await close();
});
