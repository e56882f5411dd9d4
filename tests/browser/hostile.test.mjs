// Names come from cameras and people: whatever they are, they are text.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Server, card, event, isLive, launch, open, shows } from './harness.mjs';

const NAMES = {
    markup: '<img src=x onerror="globalThis.broken = true">',
    'a script': '</script><script>globalThis.broken = true</script>',
    'an address': 'javascript:globalThis.broken=true//',
    quotes: `"'\`><svg onload=globalThis.broken=true>`,
    entities: '&lt;b&gt; &amp;quot; &#0;',
    'a template': '${globalThis.broken = true} {{constructor}} {floor}',
    'right to left': '\u202egnp.exe\u202c \u05d7\u05e0\u05d9\u05d5\u05df \u0645\u0648\u0642\u0641',
    'an override': '\u202efdp.exe leveL',
    'a formula': `=cmd|' /C calc'!A0`,
};
/** What a spreadsheet would take for a formula. */
const FORMULAS = ['=1+1', '+1', '-1', '@SUM(A1)', '=HYPERLINK("http://x/","y")'];

let server;
let browser;
/** The floors by what their names are. @type {Record<string, number>} */
const floors = {};
before(async () => {
    [server, browser] = await Promise.all([Server.start({ seed: 'none' }), launch()]);
    for (const [what, name] of Object.entries(NAMES)) {
        const floor = { name, total_slots: 1, description: name };
        floors[what] = (await server.call('POST', '/floors', floor)).id;
        // The second finds the floor full: that is something that needs a person.
        await server.post(
            event({ floor_id: floors[what], camera_id: name, track_id: name }),
            event({ floor_id: floors[what], camera_id: name }),
        );
    }
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** Whether nothing on the page was made of a name but text. */
async function isText(page) {
    // Its scripts are in its head.
    const made = page.locator('body :is(img, script, iframe, [onerror], [onload])');
    assert.equal(await made.count(), 0);
    assert.equal(await page.locator('[href^="javascript" i], [src^="javascript" i]').count(), 0);
    assert.equal(await page.evaluate(() => globalThis.broken), undefined);
}

for (const [place, [what, name]] of Object.entries(NAMES).entries()) {
    test(`${what} in names shows as text in every view`, async () => {
        // The latest and the most frequent are shown.
        const numbers = [...Array(3 + 3 * place).keys()];
        await server.post(...numbers.map((number) => event({
            floor_id: floors[what], camera_id: name, track_id: `${name} ${number}`,
        })));
        const { page, close } = await open(browser, server);
        /** Whether an element says the name, and nothing more or less. */
        const says = async (locator) => {
            await shows(locator, name);
            assert.ok((await locator.allTextContents()).some((text) => text.trim() === name));
        };
        await isLive(page);
        await says(card(page, floors[what]).locator('h3, th'));
        await isText(page);
        await page.goto(`${server.origin}/#cameras`);
        await says(page.locator('table.cameras th a'));
        await isText(page);
        await page.goto(`${server.origin}/#history`);
        await says(page.locator('.shares .name'));
        await isText(page);
        await page.goto(`${server.origin}/#events`);
        await says(page.locator('table.log td.name'));
        await page.locator('table.log tr.event', { hasText: name }).last().click();
        await says(page.locator('dialog .facts dd'));
        await isText(page);
        await page.goto(`${server.origin}/display?floor=${floors[what]}`);
        await says(page.locator('h1'));
        await isText(page);
        await close();
    });
}

test('what needs a person is told in words, whatever they name', async () => {
    const { page, close } = await open(browser, server, '/#attention');
    for (const name of Object.values(NAMES)) await shows(page.locator('main'), name);
    await isText(page);
    await close();
});

test('a name that turns the direction of text turns no words but its own', async () => {
    const { page, close } = await open(browser, server);
    const name = NAMES['an override'];
    // The name alone may be there before the sentence is.
    const found = await page.waitForFunction((name) => {
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
            const text = node.textContent ?? '';
            const [from, words] = [text.indexOf(name), text.indexOf('added')];
            if (from < 0 || words < from) continue;
            const left = (start, end) => {
                const range = document.createRange();
                range.setStart(node, start);
                range.setEnd(node, end);
                return range.getBoundingClientRect().left;
            };
            return [left(from, from + name.length), left(words, words + 2),
                left(words + 2, words + 5)];
        }
        return null;
    }, name);
    const places = await found.jsonValue() ?? [];
    // Each stands to the right of the one before it.
    assert.equal(places.length, 3);
    assert.deepEqual([...places].sort((one, other) => one - other), places);
    await close();
});

test('a file of events has names that no spreadsheet takes for a formula', async () => {
    const floor = floors['a formula'];
    const names = [...Object.values(NAMES), ...FORMULAS];
    await server.post(...names.map((name) =>
        event({ floor_id: floor, camera_id: name, track_id: name })));
    const { page, close } = await open(browser, server, '/#events');
    const [download] = await Promise.all([
        page.waitForEvent('download'), page.getByRole('link', { name: 'Download as CSV' }).click(),
    ]);
    const rows = table(await readFile(await download.path(), 'utf8'));
    const column = (title) => rows.slice(1).map((row) => row[rows[0].indexOf(title)]);
    const defused = (name) => (/^[=+\-@]/.test(name) ? `'${name}` : name);
    for (const title of ['camera_id', 'track_id']) {
        for (const name of names) assert.ok(column(title).includes(defused(name)), name);
    }
    assert.ok(column('floor').includes(defused(NAMES['a formula'])));
    // Numbers are below zero; nothing else begins a formula.
    const cells = rows.slice(1).flat().filter((cell) => !/^-?\d+$/.test(cell));
    assert.deepEqual(cells.filter((cell) => /^[=+\-@\t\r]/.test(cell)), []);
    await close();
});

/** The cells of a CSV (RFC 4180). @param {string} text @returns {string[][]} */
function table(text) {
    const rows = [[]];
    const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g;
    for (const [, quoted, plain, end] of text.matchAll(cells)) {
        rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
        if (end === '\r\n') rows.push([]);
    }
    return rows.filter((row) => row.length > 1);
}

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
