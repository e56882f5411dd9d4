// Every view is usable by everyone: axe finds nothing serious, in both colours and on a phone.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Server, act, entries, event, isLive, launch, open, openMenu, shows } from './harness.mjs';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const views = ['now', 'history', 'events', 'cameras', 'attention'];

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start({ seed: 'sample' }), launch()]);
    await server.post(...entries(3, 50), event({ floor_id: 4, direction: 'exit' }));
    await server.call('PUT', '/floors/2/count', { current_vehicles: 42, reason: 'test' });
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** What axe finds serious on what is shown now. */
async function findings(page) {
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }));
    const grave = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
    return grave.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`);
}

/** A page with axe in it, from before its own scripts; the policy allows none later. */
async function openWithAxe(path, options) {
    const opened = await open(browser, server, path, options);
    await opened.page.addInitScript({ path: axe });
    await opened.page.goto(`${server.origin}${path.replace('#', '?axe#')}`);
    return opened;
}

async function show(page, view) {
    await page.goto(`${server.origin}/?axe#${view}`);
    await isLive(page);
    await page.locator('main .wait').waitFor({ state: 'detached' });
    if (view === 'history') await page.locator('.plot canvas').first().waitFor();
    if (view === 'events') await page.locator('table.log').waitFor();
    if (view === 'now') {
        await page.locator('.card .day-chart .today').first().waitFor({ state: 'attached' });
    }
}

for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing serious, ${colorScheme}`, async () => {
        const { page, close } = await openWithAxe('/#now', { colorScheme });
        for (const view of views) {
            await show(page, view);
            assert.deepEqual(await findings(page), [], view);
        }
        await show(page, 'now');
        await openMenu(page);
        assert.deepEqual(await findings(page), [], 'menu');
        for (const what of ['Correct count of', 'Edit', 'Close']) {
            const name = `${what} Ground Floor`;
            await act(page, 'Ground Floor', name);
            await page.locator('dialog').waitFor();
            assert.deepEqual(await findings(page), [], name);
            await page.keyboard.press('Escape');
            await page.locator('dialog').waitFor({ state: 'detached' });
        }
        await show(page, 'events');
        await page.locator('table.log tbody tr.event').first().click();
        await page.locator('dialog .track li').first().waitFor();
        assert.deepEqual(await findings(page), [], 'story');
        await close();
    });

    test(`axe finds nothing serious on the board and on a phone, ${colorScheme}`, async () => {
        const board = await openWithAxe('/display?axe', { colorScheme });
        await board.page.locator('.panel').first().waitFor();
        assert.deepEqual(await findings(board.page), []);
        await board.close();
        const phone = await openWithAxe('/#now', { ...PHONE, colorScheme });
        for (const view of views) {
            await show(phone.page, view);
            assert.deepEqual(await findings(phone.page), [], view);
            const [wide, seen] = await phone.page.evaluate(
                () => [document.documentElement.scrollWidth, document.documentElement.clientWidth],
            );
            assert.ok(wide <= seen, `${view} is ${wide} px wide on a screen of ${seen} px`);
        }
        await phone.close();
    });
}

test('colours follow the system, or the choice, which is kept', async () => {
    const { page, close } = await open(browser, server, '/', { colorScheme: 'light' });
    await isLive(page);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground();
    assert.notEqual(dark, light);
    await openMenu(page);
    await page.locator('select.theme').selectOption('light');
    assert.equal(await ground(), light);
    await page.reload();
    assert.equal(await ground(), light);
    await close();
});

test('charts take the colours of the theme', async () => {
    const { page, close } = await open(browser, server, '/#history', { colorScheme: 'light' });
    const canvas = page.locator('.plot canvas').first();
    const picture = () => canvas.evaluate((drawn) => drawn.toDataURL());
    await canvas.waitFor();
    const light = await picture();
    await openMenu(page);
    await page.locator('select.theme').selectOption('dark');
    await page.waitForFunction(
        (before) => document.querySelector('.plot canvas').toDataURL() !== before, light,
    );
    await close();
});

test('the language is the reader\'s, and can be chosen', async () => {
    const { page, close } = await open(browser, server, '/', { locale: 'de-DE' });
    await shows(page.locator('.top nav a'), 'Verlauf');
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
    await openMenu(page);
    await page.getByLabel('Sprache').selectOption('en');
    await shows(page.locator('.top nav a'), 'History');
    await close();
});
