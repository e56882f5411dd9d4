// Numbers and times as the reader's locale writes them, in the reader's time zone.
import { locale, t } from './i18n.js';

/** @type {Map<string, any>} */
const made = new Map();

/** What formats, made once for each way of it: making one is slow.
 *  @template T @param {new (locale: string, options: object) => T} kind @returns {T} */
function maker(kind, options) {
    const key = `${kind.name} ${locale()} ${JSON.stringify(options)}`;
    if (!made.has(key)) made.set(key, new kind(locale(), options));
    return made.get(key);
}

const date = (options) => (when) => maker(Intl.DateTimeFormat, options).format(new Date(when));

/** @param {number} value */
export const number = (value, digits = 0) =>
    maker(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);
/** With its sign, also the plus. */
export const signed = (value) =>
    maker(Intl.NumberFormat, { signDisplay: 'exceptZero' }).format(value);
/** Of parts of a hundred. */
export const percent = (value) =>
    maker(Intl.NumberFormat, { style: 'percent', maximumFractionDigits: 0 }).format(value / 100);

export const clock = date({ hour: '2-digit', minute: '2-digit' });
export const seconds = date({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
export const day = date({ day: 'numeric', month: 'short' });
export const moment = date({ dateStyle: 'medium', timeStyle: 'short' });
export const exact = date({ dateStyle: 'medium', timeStyle: 'medium' });
export const dayTime = date({
    weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
});
export const dayMonth = date({ day: 'numeric', month: 'short', year: 'numeric' });
/** The time, and the day where it is not today. */
export const whenShort = (when) =>
    (new Date(when).toDateString() === new Date().toDateString()
        ? seconds(when) : `${day(when)}, ${seconds(when)}`);
/** @param {number} weekday 0 is Monday */
export const weekday = (weekday) =>
    maker(Intl.DateTimeFormat, { weekday: 'short', timeZone: 'UTC' })
        .format(new Date(Date.UTC(2024, 0, 1 + weekday)));

/** How long, in the two largest units. @param {number} ms */
export function duration(ms) {
    const total = Math.max(0, Math.round(ms / 1000));
    /** @type {[string, number][]} */
    const parts = [
        ['d', Math.floor(total / 86400)],
        ['h', Math.floor(total / 3600) % 24],
        ['min', Math.floor(total / 60) % 60],
        ['s', total % 60],
    ];
    const first = parts.findIndex(([, n]) => n > 0);
    if (first < 0) return t('duration.s', { n: 0 });
    const shown = parts.slice(first, first + 2).filter(([, n]) => n > 0);
    return shown.map(([unit, n]) => t(`duration.${unit}`, { n: number(n) })).join(' ');
}
