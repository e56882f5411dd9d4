// The documentation of the interface works under its policy, which allows no inline script and no
// inline style: a browser that had to refuse one would log it, which fails the test.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, launch, open, shows } from './harness.mjs';

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
    await browser.close();
    await server.stop();
});

test('an operation can be read, tried and is answered', async () => {
    const { page, close } = await open(browser, server, '/docs');
    // Swagger UI is large: a busy machine takes long to draw it.
    page.setDefaultTimeout(60_000);
    const answer = await page.request.get(`${server.origin}/docs`);
    const policy = answer.headers()['content-security-policy'];
    assert.ok(!policy.includes('unsafe-inline'), policy);
    const operation = page.locator('#operations-floors-listFloors');
    await operation.locator('.opblock-summary-control').click({ noWaitAfter: true });
    await operation.getByRole('button', { name: 'Execute' }).click({ noWaitAfter: true });
    const answered = operation.locator('.live-responses-table .response .microlight');
    await shows(answered.first(), 'Ground Floor');
    // It looks as it is meant to: the style sheet holds.
    const color = await operation.evaluate((element) => getComputedStyle(element).borderTopColor);
    assert.equal(color, 'rgb(97, 175, 254)');
    await page.locator('.btn.authorize').first().click();
    await page.getByRole('heading', { name: 'Available authorizations' }).waitFor();
    await close();
});

test('a request that changes something is dated now and asked for', async () => {
    const { page, close } = await open(browser, server, '/docs');
    page.setDefaultTimeout(60_000);
    const newest = async () => {
        const answer = await page.request.get(`${server.origin}/events?limit=1`);
        return (await answer.json()).events[0];
    };
    const before = await newest();
    const asked = [];
    let isWanted = false;
    page.on('dialog', (dialog) => {
        asked.push(dialog.message());
        return isWanted ? dialog.accept() : dialog.dismiss();
    });
    const operation = page.locator('#operations-events-recordEvents');
    await operation.locator('.opblock-summary-control').click({ noWaitAfter: true });
    const send = operation.getByRole('button', { name: 'Execute' });
    await Promise.all([page.waitForEvent('dialog'), send.click({ noWaitAfter: true })]);
    assert.match(asked[0], /^POST \/events changes the data/);
    assert.equal((await newest())?.id, before?.id);
    isWanted = true;
    await send.click({ noWaitAfter: true });
    await shows(operation.locator('.live-responses-table .response').first(), 'cam_001');
    const event = await newest();
    assert.equal(asked.length, 2);
    assert.ok(Math.abs(Date.now() - Date.parse(event.timestamp)) < 600_000, event.timestamp);
    await close();
});
