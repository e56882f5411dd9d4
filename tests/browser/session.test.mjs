// Who looks at the page: a key is asked for where there is one, and what may not be changed has no
// buttons.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, act, card, isLive, launch, open, openMenu, shows } from './harness.mjs';

let server;
let browser;
const keys = {};
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    for (const [name, role] of [['Ann', 'admin'], ['Eve', 'viewer'], ['Tom', 'admin']]) {
        keys[name] = await server.command('key', 'add', name, '--role', role);
    }
    while ((await fetch(`${server.origin}/floors`)).status !== 401);
});
after(async () => {
    await browser.close();
    await server.stop();
});

async function signIn(page, key) {
    await page.getByLabel('Key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a key is asked for, a wrong one is told, a good one opens', async () => {
    const { page, close } = await open(browser, server);
    await page.locator('dialog.sign-in').waitFor();
    assert.equal(await card(page, 1).count(), 0);
    await signIn(page, 'wrong');
    await shows(page.locator('dialog .field.wrong .fault'), 'This key is not known.');
    await signIn(page, keys.Ann);
    await isLive(page);
    await card(page, 1).waitFor();
    await openMenu(page);
    await shows(page.locator('.session'), 'Ann');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('dialog.sign-in').waitFor();
    await close();
});

test('who may only look has no buttons that change', async () => {
    const { page, close } = await open(browser, server);
    await signIn(page, keys.Eve);
    await isLive(page);
    await card(page, 1).waitFor();
    await openMenu(page);
    await shows(page.locator('.menu-items'), 'You may look.');
    for (const name of ['Add a floor', 'Actions for Ground Floor']) {
        assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
    }
    await close();
});

test('a session that ends asks for the key again', async () => {
    const { page, close } = await open(browser, server);
    await signIn(page, keys.Tom);
    await isLive(page);
    await server.command('key', 'revoke', 'Tom');
    await page.evaluate(() => { location.hash = '#events'; });
    await page.locator('dialog.sign-in').waitFor();
    await close();
});

test('a board is signed in by a link, with a key that may only look', async () => {
    const { page, close } = await open(browser, server, `/display#key=${keys.Eve}`);
    await page.locator('.board > li').first().waitFor();
    assert.ok(!page.url().includes(keys.Eve), 'the key leaves the address');
    await close();
    const other = await open(browser, server, `/display#key=${keys.Ann}`);
    await shows(other.page.locator('.board-note'), 'The link of this board is not valid.');
    assert.equal(await other.page.locator('.board > li').count(), 0);
    await other.close();
});

test('what changes counts is allowed by the session', async () => {
    const { page, close } = await open(browser, server);
    await signIn(page, keys.Ann);
    await act(page, 'Ground Floor', 'Correct count of Ground Floor');
    const field = (label) => page.locator('dialog').getByLabel(label, { exact: true });
    await field('Vehicles counted').fill('7');
    await field('Reason').fill('Walked it');
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await page.getByRole('button', { name: 'Change the count', exact: true }).click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await shows(card(page, 1).locator('.digits'), '43');
    await close();
});
