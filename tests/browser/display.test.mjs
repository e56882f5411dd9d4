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

test('one floor fills the screen, and a full one is calm and shows the way', async () => {
    const { page, close } = await open(browser, server, '/display?floor=1');
    await shows(page.locator('.panel.free .digits'), '50');
    const size = await page.locator('.digits')
        .evaluate((digits) => parseFloat(getComputedStyle(digits).fontSize));
    assert.ok(size > 300, `digits of ${size} px`);
    assert.equal(await page.locator('button, a, input').count(), 0);
    await server.post(...entries(1, 50));
    await shows(page.locator('.panel.full .digits'), 'FULL');
    await shows(page.locator('.instead'), /First Floor\s+45/);
    const colour = await page.locator('.digits').evaluate((p) => getComputedStyle(p).color);
    assert.equal(colour, 'rgb(154, 165, 179)', 'grey: full is a state, not an alarm');
    await close();
});

test('all floors are shown, with an arrow at the recommended one', async () => {
    const { page, close } = await open(browser, server, '/display');
    await page.locator('.board > li').first().waitFor();
    assert.equal(await page.locator('.board > li').count(), 4);
    await shows(page.locator('.row.best:has(.arrow) h2'), 'First Floor');
    await server.call('PATCH', '/floors/2', { is_active: false });
    await shows(page.locator('.board > li', { hasText: 'First Floor' }), 'CLOSED');
    assert.equal(await page.locator('.board > li').count(), 4);
    await server.call('PATCH', '/floors/2', { is_active: true });
    await shows(page.locator('.board > li', { hasText: 'First Floor' }), '45');
    await close();
});

test('without data it shows no number, says that it is open, and comes back', async () => {
    const { page, close } = await open(browser, server, '/display?floor=2');
    await page.clock.install();
    await page.goto(`${server.origin}/display?floor=2&clock`);
    await page.locator('.panel .digits').waitFor();
    await server.kill();
    await page.clock.fastForward(15_000);
    await shows(page.locator('.panel.stale'), 'No count at the moment');
    await shows(page.locator('.panel.stale .word'), 'OPEN');
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

test('the name of the site and the time are always there', async () => {
    const { page, close } = await open(browser, server, '/display');
    await shows(page.locator('.board-head'), 'SmartPark');
    await shows(page.locator('.board-head time'), /\d\d:\d\d/);
    for (const id of [1, 2, 3]) await server.call('PATCH', `/floors/${id}`, { is_active: false });
    await shows(page.locator('.panel.alone .word'), 'CLOSED');
    for (const id of [1, 2, 3]) await server.call('PATCH', `/floors/${id}`, { is_active: true });
    await page.locator('.board > li').first().waitFor();
    await close();
});

test('a board shows any set of floors, upright in German without a cut word', async () => {
    const upright = { viewport: { width: 540, height: 960 }, locale: 'de-DE' };
    const { page, close } = await open(browser, server, '/display?floors=2,3', upright);
    await page.locator('.board > li').first().waitFor();
    assert.equal(await page.locator('.board > li').count(), 2);
    for (const id of [2, 3]) await server.call('PATCH', `/floors/${id}`, { is_active: false });
    await shows(page.locator('.panel.alone .word'), 'GESCHLOSSEN');
    const [word, panel] = await page.evaluate(() => ['.word', '.panel'].map((selector) => {
        const range = document.createRange();
        range.selectNodeContents(document.querySelector(selector));
        return range.getBoundingClientRect().width;
    }));
    assert.ok(word < 540 && panel <= 540, `the word is ${word} px wide`);
    for (const id of [2, 3]) await server.call('PATCH', `/floors/${id}`, { is_active: true });
    await close();
});
