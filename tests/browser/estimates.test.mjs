// What comes next and how far a count may be off: told on the floor's card, in words and drawn.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, card, event, isLive, launch, open } from './harness.mjs';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
    await server.post(...weeks(Date.now()));
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** Three weeks in which the ground floor fills two hours from now and is empty three hours later;
 *  its last exits are told twice, so that it seems empty too early. */
function weeks(now) {
    const events = [];
    const add = (direction, when, track) => when < now && events.push(event({
        direction, track_id: track, timestamp: new Date(when).toISOString(),
    }));
    for (let day = -21; day <= 0; day += 1) {
        for (let car = 0; car < 50; car += 1) {
            const come = now + day * DAY + 60 * MINUTE + car * MINUTE;
            add('entry', come, `${day}/${car}`);
            add('exit', come + 180 * MINUTE, `${day}/${car}`);
        }
        add('exit', now + day * DAY + 300 * MINUTE, `${day}/ghost`);
    }
    return events;
}

test('a card says when its floor may be full, and draws the way there', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    const floor = card(page, 1);
    const told = floor.locator('.state.may, .state.will');
    await told.waitFor();
    assert.match(await told.textContent(), /^\s*(May be full at|Full at about) \d\d:\d\d$/);
    await floor.locator('.day-chart .usual').waitFor({ state: 'attached' });
    const dashes = await floor.locator('.day-chart .ahead').getAttribute('points');
    assert.ok(dashes.split(' ').length > 10, dashes);
    // A floor without two weeks of history promises nothing.
    assert.equal(await card(page, 2).locator('.state.room').count(), 0);
    await close();
});

test('a card says between which numbers the truth lies, and when to count', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    const count = card(page, 1).locator('.outlook .count');
    await count.waitFor();
    assert.match(await count.textContent(), /^Count it at about \d\d:\d\d$/);
    const drift = await server.call('GET', '/floors/1/drift');
    assert.equal(drift.suggested_recount.reason, 'at_limit');
    await close();
});

test('the same in German', async () => {
    const { page, close } = await open(browser, server, '/', { locale: 'de-DE' });
    await isLive(page);
    const floor = card(page, 1);
    await floor.locator('.state', { hasText: /voll um (etwa )?\d\d:\d\d/i }).waitFor();
    await floor.locator('.outlook li', { hasText: /^Um etwa \d\d:\d\d zählen$/ }).waitFor();
    await close();
});
