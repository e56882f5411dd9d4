// Who looks at the page: a key is asked for where the server wants one, and what may not be
// changed has no buttons. What the server says of sessions is put in its mouth here.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, card, isLive, launch, open, shows } from './harness.mjs';

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
    await browser.close();
    await server.stop();
});

const nobody = { auth: 'key', role: null, name: null };
const problem = { type: 'urn:smartpark:problem:unauthorized', status: 401, detail: 'no key' };

/** A page whose server wants keys: `good` is one of this role. */
async function openGuarded(role, first = nobody) {
    const { page, close } = await open(browser, server, '/docs/start.js');
    const state = { who: first };
    await page.route('**/session', (route) => {
        const request = route.request();
        if (request.method() === 'POST') {
            const isGood = request.postDataJSON().key === 'good';
            if (!isGood) return route.fulfill({ status: 401, json: problem });
            state.who = { auth: 'key', role, name: 'Ann' };
        }
        if (request.method() === 'DELETE') {
            state.who = nobody;
            return route.fulfill({ status: 204 });
        }
        return route.fulfill({ json: state.who });
    });
    await page.goto(server.origin);
    return { page, close, state };
}

async function signIn(page, key) {
    await page.getByLabel('Key').fill(key);
    await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a key is asked for, a wrong one is told, a good one opens', async () => {
    const { page, close } = await openGuarded('admin');
    await page.locator('dialog.sign-in').waitFor();
    assert.equal(await card(page, 1).count(), 0);
    await signIn(page, 'wrong');
    await shows(page.locator('dialog .field.wrong .fault'), 'This key is not known.');
    await signIn(page, 'good');
    await isLive(page);
    await card(page, 1).waitFor();
    await shows(page.locator('.session'), 'Ann');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.locator('dialog.sign-in').waitFor();
    await close();
});

test('who may only look has no buttons that change', async () => {
    const { page, close } = await openGuarded('viewer');
    await signIn(page, 'good');
    await isLive(page);
    await card(page, 1).waitFor();
    for (const name of ['Add a floor', 'Recount Ground Floor', 'Close Ground Floor']) {
        assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
    }
    await close();
});

test('a session that ends asks for the key again', async () => {
    const { page, close, state } = await openGuarded('admin');
    await signIn(page, 'good');
    await isLive(page);
    state.who = nobody;
    await page.route('**/events?*', (route) => route.fulfill({ status: 401, json: problem }));
    await page.evaluate(() => { location.hash = '#events'; });
    await page.locator('dialog.sign-in').waitFor();
    await close();
});
