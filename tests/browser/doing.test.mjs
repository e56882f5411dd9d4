// What can be done on the page: floors are added, changed, closed, opened and recounted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server, act, card, entries, isLive, launch, open, openMenu, shows } from './harness.mjs';

let server;
let browser;
before(async () => {
    [server, browser] = await Promise.all([Server.start(), launch()]);
});
after(async () => {
    await browser.close();
    await server.stop();
});

const button = (page, name) => page.getByRole('button', { name, exact: true });
const field = (page, label) => page.locator('dialog').getByLabel(label, { exact: true });

test('a recount asks once more, and changes the count with its reason', async () => {
    await server.post(...entries(1, 3));
    const { page, close } = await open(browser, server);
    await isLive(page);
    await act(page, 'Ground Floor', 'Correct count of Ground Floor');
    await field(page, 'Vehicles counted').fill('20');
    await field(page, 'Reason').fill('Walked it, Ann');
    await button(page, 'Continue').click();
    await shows(page.locator('dialog .sure'), 'Ground Floor: 3 → 20 vehicles (+17)');
    const { current_vehicles: before } = await server.call('GET', '/floors/1');
    assert.equal(before, 3, 'nothing changes before it is confirmed');
    await button(page, 'Change the count').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await shows(card(page, 1).locator('.digits'), '30');
    const { current_vehicles: now } = await server.call('GET', '/floors/1');
    assert.equal(now, 20);
    await close();
});

test('a recount that the server refuses says so at its field', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    await server.call('PATCH', '/floors/3', { total_slots: 40 });
    await act(page, 'Second Floor', 'Correct count of Second Floor');
    await field(page, 'Vehicles counted').fill('40');
    await field(page, 'Reason').fill('full');
    await button(page, 'Continue').click();
    await page.locator('dialog .sure').waitFor();
    // Meanwhile somebody else takes slots away.
    await server.call('PATCH', '/floors/3', { total_slots: 30 });
    await button(page, 'Change the count').click();
    await page.locator('dialog .field.wrong .fault').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await close();
});

test('a floor is added, and a name that is taken is told at its field', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    await openMenu(page);
    await button(page, 'Add a floor').click();
    await field(page, 'Name').fill('Ground Floor');
    await field(page, 'Slots').fill('25');
    await page.locator('dialog button[type=submit]').click();
    await shows(page.locator('dialog .field.wrong'), 'is taken by another floor');
    assert.equal(await field(page, 'Name').getAttribute('aria-invalid'), 'true');
    await field(page, 'Name').fill('Roof');
    await page.locator('dialog button[type=submit]').click();
    await page.locator('dialog').waitFor({ state: 'detached' });
    await shows(page.locator('.card', { hasText: 'Roof' }).locator('.digits'), '25');
    await close();
});

test('fewer slots than vehicles cut the count only when that is confirmed', async () => {
    await server.call('PUT', '/floors/2/count', { current_vehicles: 30, reason: 'test' });
    const { page, close } = await open(browser, server);
    await isLive(page);
    await act(page, 'First Floor', 'Edit First Floor');
    await field(page, 'Slots').fill('10');
    await button(page, 'Save').click();
    await shows(page.locator('dialog .sure'), 'Cut First Floor to 10 slots?');
    const untouched = await server.call('GET', '/floors/2');
    assert.deepEqual([untouched.total_slots, untouched.current_vehicles], [45, 30]);
    await button(page, 'Cut the count').click();
    await shows(card(page, 2).locator('.digits'), 'Full');
    await close();
});

test('a floor is closed and opened again', async () => {
    const { page, close } = await open(browser, server);
    await isLive(page);
    await act(page, 'Second Floor', 'Close Second Floor');
    await page.locator('dialog').getByRole('button', { name: 'Close', exact: true }).last().click();
    await page.locator('.card.inactive[data-floor="3"]').waitFor();
    await act(page, 'Second Floor', 'Open Second Floor');
    await page.locator('dialog').getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.card.inactive[data-floor="3"]').waitFor({ state: 'detached' });
    await card(page, 3).waitFor();
    await close();
});
