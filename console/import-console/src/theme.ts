// Before anything is drawn: the colours that were chosen here the last time. A script of its own, because a page that waits
// for the large one would be light for a moment, and inline scripts are not allowed.

const KEY = 'customer-service:theme';

export type Theme = 'system' | 'light' | 'dark';

export function chosenTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system'; // storage is switched off
  }
}

export function chooseTheme(theme: Theme): void {
  try {
    if (theme === 'system') {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, theme);
    }
  } catch {
    // It holds until the page is left.
  }
  showTheme(theme);
}

export function showTheme(theme: Theme): void {
  if (theme === 'system') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
}
