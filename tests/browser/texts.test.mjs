// Every text is there in every language, and every text that the code names exists.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { de } from '../../crates/smartpark-server/src/dashboard/texts/de.js';
import { en } from '../../crates/smartpark-server/src/dashboard/texts/en.js';

const folder = new URL('../../crates/smartpark-server/src/dashboard/', import.meta.url);
const places = (text) => [...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

test('the languages have the same texts with the same places', () => {
    assert.deepEqual(Object.keys(de), Object.keys(en));
    for (const key of Object.keys(en)) {
        assert.deepEqual(new Set(places(de[key])), new Set(places(en[key])), key);
    }
});

test('the code names only texts that there are', async () => {
    const names = await readdir(folder, { recursive: true });
    const sources = names.filter((name) => name.endsWith('.js') && !name.includes('vendor/'));
    const code = await Promise.all(sources.map((name) => readFile(new URL(name, folder), 'utf8')));
    const named = [...code.join('\n').matchAll(/\bt\('([^']+)'/g)].map(([, key]) => key);
    assert.ok(named.length > 100);
    assert.deepEqual(named.filter((key) => !(key in en)), []);
});
