// Names come from cameras and people: whatever they are, they are text.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, event, isLive, launch, open, shows } from './harness.mjs';

const MARKUP = '<img src=x onerror="globalThis.broken = true">';

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    await server.call('PATCH', '/floors/1', { name: `${MARKUP} floor`, description: MARKUP });
    await server.post(event({ camera_id: MARKUP, track_id: '<script>broken = true</script>' }));
});
after(async () => {
    await browser.close();
    await server.stop();
});

test('markup in names shows as text in every view', async () => {
    const { page, close } = await open(browser, server);
    const isText = async () => {
        assert.equal(await page.locator('main img, main script, dialog img').count(), 0);
        assert.equal(await page.evaluate(() => globalThis.broken), undefined);
    };
    await isLive(page);
    await shows(page.locator('.card h3'), MARKUP);
    await shows(page.locator('.tail .camera'), MARKUP);
    await isText();
    await page.goto(`${server.origin}/#history`);
    await shows(page.locator('.shares .name'), MARKUP);
    await isText();
    await page.goto(`${server.origin}/#events`);
    await page.locator('table.log tr', { hasText: MARKUP }).last().click();
    await shows(page.locator('dialog .facts dd'), MARKUP);
    await isText();
    await page.goto(`${server.origin}/display?floor=1`);
    await shows(page.locator('h1'), MARKUP);
    await isText();
    await close();
});

test('the policy forbids what is inline, and markup from text', async () => {
    const { page, close } = await open(browser, server);
    const response = await page.reload();
    const policy = response.headers()['content-security-policy'];
    assert.match(policy, /script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe/);
    const refused = await page.evaluate(() => {
        try {
            document.createElement('p').innerHTML = '<b>text</b>';
            return false;
        } catch {
            return true;
        }
    });
    assert.ok(refused, 'trusted types are enforced');
    await page.context().close();
    assert.ok(close);
});
