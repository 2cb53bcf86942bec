// Addresses under /console, and moving between them without loading the page anew.

import { useEffect, useState } from 'preact/hooks';

export const BASE = '/console';

export interface Place {
  /** What comes behind /console, in parts: `['imports', 'imp_…']`. */
  path: string[];
  query: URLSearchParams;
}

const listeners = new Set<() => void>();
addEventListener('popstate', () => moved());

function moved(): void {
  for (const listener of listeners) {
    listener();
  }
}

function here(): Place {
  const path = location.pathname.slice(BASE.length).split('/').filter(Boolean).map(decodeURIComponent);
  return { path, query: new URLSearchParams(location.search) };
}

/** The whole address of *path*, which begins behind /console. */
export const addressOf = (path: string): string => BASE + path;

/** Go to *path*; with *replace*, "back" passes over where one is now. */
export function go(path: string, { replace = false } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', addressOf(path));
  moved();
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const listener = (): void => setPlace(here());
    // One may have moved since the first drawing.
    listener();
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return place;
}
