// The report: a page that prints on one sheet of A4, and needs nothing but itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, event, launch } from './harness.mjs';

const DAY = 86_400_000;

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    const cars = Array.from({ length: 60 }, (_, number) => event({
        floor_id: 1 + (number % 3),
        timestamp: new Date(Date.now() - (1 + (number % 25)) * DAY).toISOString(),
    }));
    await server.post(...cars);
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** The last days, as the report's address names them. */
function period(days) {
    const day = (ago) => new Date(Date.now() - ago * DAY).toISOString().slice(0, 10);
    return `start=${day(days)}&end=${day(1)}`;
}

test('a month prints on one sheet of A4', async () => {
    const page = await browser.newPage();
    const told = [];
    page.on('console', (message) => told.push(message.text()));
    page.on('pageerror', (fault) => told.push(String(fault)));
    await page.goto(`${server.origin}/report.html?${period(30)}`);
    assert.equal(await page.locator('h1').count(), 1);
    assert.equal(await page.locator('.heat tr').count(), 8);
    // Its own style is allowed, and used.
    const width = await page.locator('main').evaluate((main) => getComputedStyle(main).maxWidth);
    assert.equal(width, '690px');
    const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true }))
        .toString('latin1');
    const boxes = [...pdf.matchAll(/\/MediaBox\s*\[([^\]]+)\]/g)].map(([, box]) => box.trim());
    assert.equal(boxes.length, 1, `${boxes.length} sheets`);
    const [, , right, top] = boxes[0].split(/\s+/).map(Number);
    assert.ok(Math.abs(right - 595) < 2 && Math.abs(top - 842) < 2, boxes[0]);
    assert.deepEqual(told, []);
    await page.close();
});
