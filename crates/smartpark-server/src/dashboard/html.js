// What every part of the page is written with: components (Preact), their markup (htm) and the
// state that they follow (signals). All text goes through here as text, never as markup.
import { h } from './vendor/preact.js';
import htm from './vendor/htm.js';

export { render } from './vendor/preact.js';
export { useEffect, useId, useLayoutEffect, useRef, useState } from './vendor/hooks.js';
export { batch, computed, effect, signal } from './vendor/signals.js';
export const html = htm.bind(h);
