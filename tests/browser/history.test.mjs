// What happened: the charts and tables say what the events say, for whatever stretch and floor.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, event, isLive, launch, open, shows } from './harness.mjs';

const HOUR = 3_600_000;
/** In the middle of the local hour so many hours ago (the zone of the tests has whole hours). */
const ago = (hours) => new Date(Math.floor(Date.now() / HOUR) * HOUR - (hours - 0.5) * HOUR);

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    const at = (hours, floor, direction = 'entry') => event({
        floor_id: floor, direction, timestamp: ago(hours).toISOString(),
    });
    await server.post(
        ...Array.from({ length: 6 }, () => at(5, 1)), at(3, 1, 'exit'), at(3, 1, 'exit'),
        at(4, 2), at(4, 2), at(100, 2), at(400, 2),
    );
});
after(async () => {
    await browser.close();
    await server.stop();
});

const tile = (page, label) => page.locator('.tiles .figure', { hasText: label }).locator('dd');
const label = (page) => page.locator('.plot').first().getAttribute('aria-label');

async function openHistory() {
    const opened = await open(browser, server, '/#history');
    await isLive(opened.page);
    await opened.page.locator('.plot canvas').first().waitFor();
    return opened;
}

const choose = (page, range) => page.locator('.segments label', { hasText: range }).click();
const heading = (page) => page.locator('figcaption h2').last();

test('sums follow the stretch of time and the floor', async () => {
    const { page, close } = await openHistory();
    await shows(tile(page, 'Entries'), /^8$/);
    await shows(tile(page, 'Exits'), /^2$/);
    assert.match(await label(page), /^Whole site: 8 of 135 slots taken/);
    await choose(page, '7 days');
    await shows(tile(page, 'Entries'), /^9$/);
    await choose(page, '30 days');
    await shows(tile(page, 'Entries'), /^10$/);
    await page.getByLabel('Floor').selectOption('First Floor');
    await shows(tile(page, 'Entries'), /^4$/);
    await shows(tile(page, 'Exits'), /^0$/);
    assert.match(await label(page), /^First Floor: 4 of 45 slots taken at the end\. Most: 4/);
    await close();
});

test('the table says what each hour did, also of an event that comes late', async () => {
    const { page, close } = await openHistory();
    await page.getByLabel('Floor').selectOption('Ground Floor');
    await shows(tile(page, 'Entries'), /^6$/);
    await page.getByText('As a table').click();
    const row = (hours) => page.evaluate((text) => {
        const rows = [...document.querySelectorAll('details tbody tr')];
        const cells = rows.find((tr) => tr.cells[0].textContent === text);
        return [...cells.cells].slice(1).map((cell) => Number(cell.textContent));
    }, new Intl.DateTimeFormat('en-GB', {
        weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
        timeZone: 'Europe/Berlin',
    }).format(Math.floor(ago(hours).getTime() / HOUR) * HOUR));
    await page.locator('details tbody tr').first().waitFor();
    assert.deepEqual(await row(5), [0, 6, 6, 6, 0]);
    assert.deepEqual(await row(4), [6, 6, 6, 0, 0]);
    assert.deepEqual(await row(3), [4, 6, 4, 0, 2]);
    await server.post(event({ timestamp: ago(4).toISOString() }));
    await shows(tile(page, 'Entries'), /^7$/);
    assert.deepEqual(await row(4), [6, 7, 7, 1, 0]);
    assert.deepEqual(await row(3), [5, 7, 5, 0, 2]);
    await close();
});

test('drawing across a chart looks closer, and a button leads back', async () => {
    const { page, close } = await openHistory();
    await shows(heading(page), 'Entries and exits per hour');
    const over = await page.locator('.plot .u-over').first().boundingBox();
    const y = over.y + over.height / 2;
    await page.mouse.move(over.x + over.width * 0.75, y);
    await page.mouse.down();
    await page.mouse.move(over.x + over.width * 0.8, y, { steps: 4 });
    await page.mouse.up();
    await page.locator('.zoomed').waitFor();
    await shows(heading(page), 'Entries and exits in five minutes');
    await page.getByRole('button', { name: 'Back to the whole' }).click();
    await page.locator('.zoomed').waitFor({ state: 'detached' });
    await shows(heading(page), 'Entries and exits per hour');
    await close();
});

test('the pointer over a chart tells what is there', async () => {
    const { page, close } = await openHistory();
    const over = await page.locator('.plot .u-over').first().boundingBox();
    await page.mouse.move(over.x + over.width - 5, over.y + over.height / 2);
    await shows(page.locator('.tip').first(), /between \d+ and \d+ vehicles/);
    await shows(page.locator('.tip').first(), '135 slots');
    await close();
});

test('a chosen stretch is shown, and does not move', async () => {
    const { page, close } = await openHistory();
    await choose(page, 'Custom');
    const local = (when) => when.toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' })
        .replace(' ', 'T').slice(0, 16);
    await page.getByLabel('From').fill(local(ago(500)));
    await page.getByLabel('Until').fill(local(ago(50)));
    await page.getByRole('button', { name: 'Show' }).click();
    await shows(tile(page, 'Entries'), /^2$/);
    assert.match(await label(page), /: 2 of 135 slots taken at the end/);
    await close();
});

test('the busiest hours are those of the local week', async () => {
    const { page, close } = await openHistory();
    const [weekday, hour] = ['weekday', 'hour'].map((part) => new Intl.DateTimeFormat('en-GB', {
        [part]: part === 'hour' ? '2-digit' : 'short', timeZone: 'Europe/Berlin',
    }).format(ago(5)));
    const cell = page.locator('.heat tr', { hasText: weekday })
        .locator(`td:nth-child(${Number(hour) + 2})`);
    // Six in an hour that was there in four or five of the weeks.
    await shows(cell, /^1\.[25]$/);
    assert.equal(await cell.getAttribute('class'), 'heat-4');
    await close();
});

test('a stretch that the server refuses is told in its words', async () => {
    const { page, close } = await openHistory();
    await choose(page, 'Custom');
    await page.getByLabel('From').fill('1980-01-01T00:00');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.locator('.page > .fault').waitFor();
    await close();
});
