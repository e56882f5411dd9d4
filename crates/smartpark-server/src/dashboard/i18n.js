// All texts of the page in the language of its reader. A language is one file in texts/, with the
// keys of texts/en.js; what it lacks is said in English.
import { signal } from './html.js';
import { recall, remember } from './memory.js';
import { de } from './texts/de.js';
import { en } from './texts/en.js';

/** @typedef {string | { one: string, other: string }} Text one for each plural form, by `n` */
/** @type {Record<string, Record<string, Text>>} */
const all = { en, de };

/** The languages there are, each by its own name. */
export const languages = [['en', 'English'], ['de', 'Deutsch']];

/** The language that is spoken now. */
export const language = signal(spoken());

/** The locale for numbers and times: the browser's, where it fits the language. */
export function locale() {
    const fits = (tag) => tag.split('-')[0] === language.value;
    return navigator.languages.find(fits) ?? language.value;
}

/**
 * A text, with its {places} filled in. `n` chooses the plural form.
 * @param {string} key
 * @param {Record<string, unknown>} [values]
 */
export function t(key, values = {}) {
    let text = all[language.value][key] ?? en[key] ?? key;
    if (typeof text === 'object') {
        const form = new Intl.PluralRules(language.value).select(Number(values.n));
        text = text[form] ?? text.other;
    }
    return text.replace(/\{(\w+)\}/g, (place, name) => {
        const value = values[name] ?? place;
        return Array.isArray(value) ? value.map(apart).join(', ') : apart(String(value));
    });
}

/** What turns the direction of the text around it: scripts from right to left, and overrides. */
const TURNS = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]/;

/** A value that leaves the words around it where they are. @param {string} value */
export function apart(value) {
    // It must not end by itself what keeps it apart.
    return TURNS.test(value) ? `\u2068${value.replaceAll(/[\u2066-\u2069]/g, '')}\u2069` : value;
}

/** Whether there is a text of this name. */
export const has = (key) => key in en;

/** Speaks another language from now on. */
export function speak(tag) {
    remember('language', tag);
    language.value = tag;
    document.documentElement.lang = tag;
}

function spoken() {
    const wanted = [recall('language'), ...navigator.languages.map((tag) => tag.split('-')[0])];
    const tag = wanted.find((tag) => tag in all) ?? 'en';
    document.documentElement.lang = tag;
    return tag;
}
