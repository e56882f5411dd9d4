// Not more often than anybody sees.

/**
 * A function that runs `work` at once, and then not before `pause` has passed; what was asked for
 * meanwhile runs once, at its end.
 * @param {() => void} work @param {() => number} pause in ms
 */
export function atMost(work, pause) {
    let last = -Infinity;
    let timer;
    const run = () => {
        timer = undefined;
        last = performance.now();
        work();
    };
    return () => {
        if (timer !== undefined) return;
        const wait = last + pause() - performance.now();
        if (wait <= 0) run();
        else timer = setTimeout(run, wait);
    };
}
