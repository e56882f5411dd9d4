// Pictures of the page with a real morning: two weeks of the JPL garage, moved so that the moment
// when it fills is now, on the same day of the week where that is a working day; and the same two
// weeks three times before, for a forecast needs some history.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, isLive, launch, open } from './harness.mjs';

const folder = process.argv[2];
const HOUR = 3_600_000;
const DAYS = 24 * HOUR;
/** The days of the second week, Monday first, and the moment: 7:20 in the morning at the garage. */
const days = ['2019-06-24', '2019-06-25', '2019-06-26', '2019-06-27', '2019-06-28'];
const MOMENT = 'T14:20:00Z';

/** A time zone in which it is seven in the morning, as it was there. */
function morning(now) {
    const ahead = (7 - now.getUTCHours() + 36) % 24 - 12;
    const weekday = new Date(now.getTime() + ahead * HOUR).getUTCDay();
    return { zone: `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`, weekday };
}

async function events(until, shift, floors, round = '') {
    const file = new URL('../data/jpl-garage/events.csv', import.meta.url);
    const [head, ...lines] = (await readFile(file, 'utf8')).trim().split('\n');
    const names = head.split(',');
    const rows = lines.map((line) => {
        const row = Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell]));
        const { floor_id_or_name: floor, confidence, timestamp, ...rest } = row;
        return {
            ...rest, track_id: rest.track_id + round,
            floor_id: floors.get(floor), confidence: Number(confidence),
            timestamp: new Date(Date.parse(timestamp) + shift).toISOString(),
        };
    });
    return rows.filter((row) => Date.parse(row.timestamp) <= until);
}

const server = await Server.start({ seed: 'none' });
const browser = await launch();
try {
    const floors = new Map();
    for (const [name, slots] of [['1F', 14], ['3F', 19], ['4F', 19]]) {
        const floor = { name, total_slots: slots, description: 'JPL garage, Pasadena' };
        floors.set(name, (await server.call('POST', '/floors', floor)).id);
    }
    const now = new Date();
    const { zone, weekday } = morning(now);
    await server.call('PATCH', '/sites/default', { time_zone: zone });
    const moment = Date.parse((days[weekday - 1] ?? days[4]) + MOMENT);
    for (const rounds of [3, 2, 1, 0]) {
        const shift = now.getTime() - moment - rounds * 14 * DAYS;
        const round = rounds ? `/${rounds}` : '';
        await server.post(...await events(now.getTime(), shift, floors, round));
    }
    const shoot = async (name, path, options, ready) => {
        const { page, close } = await open(browser, server, path, { timezoneId: zone, ...options });
        if (ready) await ready(page);
        await page.screenshot({ path: join(folder, `${name}.png`) });
        await close();
    };
    const ready = async (page) => {
        await isLive(page);
        await page.locator('.flow .in', { hasText: /\d/ }).waitFor();
        await page.locator('.camera-sums li').first().waitFor({ state: 'attached' });
        await page.locator('.hero .usual').first().waitFor({ state: 'attached' });
        await page.locator('.hero .ahead').first().waitFor({ state: 'attached' });
        await page.locator('.card .state.will, .card .state.may').first()
            .waitFor({ state: 'attached' });
    };
    const week = async (page) => {
        await isLive(page);
        await page.locator('.segments label', { hasText: '7 days' }).click();
        await page.locator('.page[aria-busy="false"] .heat').waitFor();
    };
    const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
    await shoot('now-light', '/#now', { colorScheme: 'light' }, ready);
    await shoot('now-dark', '/#now', { colorScheme: 'dark' }, ready);
    await shoot('now-phone', '/#now', { ...phone, colorScheme: 'light' }, ready);
    const tall = { viewport: { width: 1440, height: 1420 } };
    await shoot('history-dark', '/#history', { ...tall, colorScheme: 'dark' }, week);
    await shoot('display', '/display', { viewport: { width: 1280, height: 560 } },
        (page) => page.locator('.panel').first().waitFor());
} finally {
    await browser.close();
    await server.stop();
}
