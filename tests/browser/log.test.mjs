// The log: filters, pages, the live end, one event's story, the file.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Server, event, isLive, launch, open, shows } from './harness.mjs';

const MINUTE = 60_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    const past = Array.from({ length: 250 }, (_, i) => event({
        floor_id: 1 + (i % 2), camera_id: i % 2 ? 'north' : 'south', track_id: `old_${i}`,
        direction: i % 10 === 9 ? 'exit' : 'entry', timestamp: ago((400 - i) * MINUTE),
        vehicle_type: i % 25 === 0 ? 'bus' : 'car',
    }));
    await server.post(...past);
});
after(async () => {
    await browser.close();
    await server.stop();
});

const rows = (page) => page.locator('table.log tbody tr.event');
const button = (page, name) => page.getByRole('button', { name });

async function openLog() {
    const opened = await open(browser, server, '/#events');
    await isLive(opened.page);
    await rows(opened.page).first().waitFor();
    return opened;
}

test('pages lead through all events and back, each once', async () => {
    const { page, close } = await openLog();
    const seen = new Set();
    for (const n of [1, 2, 3, 4, 5]) {
        await shows(page.locator('.pages span'), `Page ${n}`);
        await shows(rows(page).last(), `old_${250 - n * 50}`);
        const tracks = page.locator('table.log tr.event td:nth-child(6)');
        for (const track of await tracks.allTextContents()) {
            assert.ok(!seen.has(track), track);
            seen.add(track);
        }
        if (n < 5) await button(page, 'Older →').click();
    }
    assert.equal(seen.size, 250);
    assert.ok(await button(page, 'Older →').isDisabled());
    await button(page, '← Newer').click();
    await shows(page.locator('.pages span'), 'Page 4');
    await button(page, 'To the newest').click();
    await shows(rows(page).first(), 'old_249');
    await close();
});

test('a filter holds for what is read and for what comes, and for the file', async () => {
    const { page, close } = await openLog();
    await page.getByLabel('Camera').fill('south');
    await page.getByLabel('Vehicle').selectOption('bus');
    await button(page, 'Filter').click();
    await shows(rows(page).last(), 'old_0');
    assert.equal(await rows(page).count(), 5);
    await server.post(
        event({ camera_id: 'south', vehicle_type: 'bus', track_id: 'fits' }),
        event({ camera_id: 'north', vehicle_type: 'bus', track_id: 'does_not' }),
    );
    await shows(rows(page).first(), 'fits');
    assert.equal(await rows(page).count(), 6);
    const [download] = await Promise.all([
        page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'events.csv');
    const lines = (await readFile(await download.path(), 'utf8')).trim().split('\n');
    assert.match(lines[0], /^id,camera_id,floor_id,floor,track_id/);
    assert.equal(lines.length, 1 + 6);
    assert.ok(lines.slice(1).every((line) => line.includes('south') && line.includes('bus')));
    await button(page, 'Clear').click();
    await shows(rows(page).first(), 'does_not');
    assert.equal(await page.getByLabel('Camera').inputValue(), '');
    await close();
});

test('a time filter takes local times', async () => {
    const { page, close } = await openLog();
    const local = (ms) => page.evaluate((then) => {
        const when = new Date(then);
        return new Date(then - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    }, Date.now() - ms);
    await page.getByLabel('From').fill(await local(395 * MINUTE));
    await page.getByLabel('Until').fill(await local(390 * MINUTE));
    await button(page, 'Filter').click();
    await page.waitForFunction(
        () => document.querySelectorAll('table.log tbody tr.event').length === 5);
    await close();
});

test('the live end stands still while it is paused, and counts what comes', async () => {
    const { page, close } = await openLog();
    await button(page, 'Pause').click();
    const first = await rows(page).first().textContent();
    await server.post(event({ track_id: 'while_paused' }));
    await shows(page.locator('.tailing'), 'Paused. 1 new event.');
    assert.equal(await rows(page).first().textContent(), first);
    await button(page, 'Resume').click();
    await shows(rows(page).first(), 'while_paused');
    await close();
});

test('an event tells its whole story, with the length of the stay', async () => {
    const stay = { track_id: 'guest', camera_id: 'gate', floor_id: 3 };
    await server.post(
        event({ ...stay, timestamp: ago(200 * MINUTE) }),
        event({ ...stay, direction: 'exit', timestamp: ago(5 * MINUTE) }),
        event({ ...stay, track_id: 'ghost', direction: 'exit', timestamp: ago(4 * MINUTE) }),
    );
    const { page, close } = await openLog();
    const story = page.locator('dialog.story');
    await rows(page).filter({ hasText: 'guest' }).first().click();
    await shows(story, 'The vehicle stayed for 3 h 15 min.');
    await shows(story, 'It moved the count of Second Floor by -1.');
    assert.equal(await story.locator('.track li').count(), 2);
    await page.keyboard.press('Escape');
    await story.waitFor({ state: 'detached' });
    await rows(page).filter({ hasText: 'ghost' }).locator('button').focus();
    await page.keyboard.press('Enter');
    await shows(story, 'Second Floor was empty when this vehicle left.');
    await shows(story, 'No entry of this track is known.');
    await close();
});
