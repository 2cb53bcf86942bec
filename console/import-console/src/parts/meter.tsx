import type { JSX } from 'preact';

import { percent } from '../format';

/** How far something is, from 0 to 1. */
export function Meter({ label, share, still = false }: { label: string; share: number; still?: boolean }): JSX.Element {
  const whole = Math.round(share * 1000) / 10;
  return (
    <div
      class={`meter ${still ? '' : 'moving'}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(whole)}
      aria-valuetext={percent(share)}
    >
      <div style={{ width: `${whole}%` }} />
    </div>
  );
}
