// Light or dark: as the system says, or as the reader chose. Runs before the page is drawn, so
// that it never flashes in the other colours; hence no module.
(() => {
    const root = document.documentElement;
    const key = 'smartpark.theme';
    const choices = ['auto', 'light', 'dark'];
    let chosen = 'auto';
    try {
        chosen = localStorage.getItem(key) ?? 'auto';
    } catch {
        // A browser that keeps nothing shows what the system says.
    }
    const show = () => {
        if (chosen === 'auto') root.removeAttribute('data-theme');
        else root.setAttribute('data-theme', chosen);
        root.dispatchEvent(new Event('themechange'));
    };
    globalThis.theme = {
        choices,
        get: () => (choices.includes(chosen) ? chosen : 'auto'),
        set: (choice) => {
            chosen = choice;
            try {
                localStorage.setItem(key, choice);
            } catch {
                // It holds until the page is closed.
            }
            show();
        },
    };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
    show();
})();
