import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import { Icon, type IconName } from './parts/icons';
import { chooseTheme, chosenTheme, type Theme } from './theme';

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const ICON: Record<Theme, IconName> = { system: 'auto', light: 'sun', dark: 'moon' };
const NAME: Record<Theme, string> = { system: 'as the system', light: 'light', dark: 'dark' };

/** Colours: as the system has them, light, dark. */
export function ThemeSwitch(): JSX.Element {
  const [theme, setTheme] = useState(chosenTheme);
  const next = NEXT[theme];
  const label = `Colours: ${NAME[theme]}. Change to ${NAME[next]}`;
  return (
    <button
      type="button"
      class="button quiet only-icon theme"
      aria-label={label}
      title={label}
      onClick={() => {
        chooseTheme(next);
        setTheme(next);
      }}
    >
      <Icon name={ICON[theme]} />
    </button>
  );
}
