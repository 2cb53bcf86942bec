// Small things that every page is made of.

import type { ComponentChildren, JSX } from 'preact';

import type { Problem } from '../api';
import { addressOf, go } from '../router';
import type { Word } from '../words';
import { Icon, type IconName } from './icons';

interface LinkProps {
  to: string;
  children: ComponentChildren;
  class?: string;
  'aria-current'?: 'page' | undefined;
}

/** A link to a page of the console; with a key held down, it opens as any link does. */
export function Link({ to, children, ...rest }: LinkProps): JSX.Element {
  const follow = (event: MouseEvent): void => {
    if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      go(to);
    }
  };
  return (
    <a {...rest} href={addressOf(to)} onClick={follow}>
      {children}
    </a>
  );
}

interface ButtonProps {
  children: ComponentChildren;
  onClick?: () => void;
  look?: 'main' | 'plain' | 'quiet' | 'bad';
  icon?: IconName;
  busy?: boolean;
  disabled?: boolean;
  type?: 'button' | 'submit';
  describedBy?: string;
}

export function Button({ children, onClick, look = 'plain', icon, busy = false, disabled = false, type = 'button', describedBy }: ButtonProps): JSX.Element {
  return (
    <button
      class={`button ${look}`}
      type={type}
      // A button that vanishes from the order of keys while it works would lose the place of whoever pressed it.
      aria-disabled={busy || disabled}
      aria-describedby={describedBy}
      onClick={(event) => {
        if (busy || disabled) {
          event.preventDefault();
        } else {
          onClick?.();
        }
      }}
    >
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

export function Badge({ word }: { word: Word }): JSX.Element {
  return <span class={`badge ${word.tone}`}>{word.text}</span>;
}

type NoticeTone = 'info' | 'good' | 'warn' | 'bad';
const NOTICE_ICON: Record<NoticeTone, IconName> = { info: 'info', good: 'check', warn: 'warn', bad: 'warn' };

/** A message that stays. A bad one is read out at once. */
export function Notice({ tone = 'info', title, children }: { tone?: NoticeTone; title?: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={NOTICE_ICON[tone]} />
      <div>
        {title && <p class="notice-title">{title}</p>}
        {children}
      </div>
    </div>
  );
}

/** What went wrong, and a way to try again where there is one. */
export function ProblemNotice({ problem, again }: { problem: Problem; again?: (() => void) | undefined }): JSX.Element {
  return (
    <Notice tone="bad">
      <p>{problem.message}</p>
      {problem.detail && <p class="small muted">{problem.detail}</p>}
      {again && (
        <p>
          <Button look="quiet" icon="again" onClick={again}>
            Try again
          </Button>
        </p>
      )}
    </Notice>
  );
}

export function Loading({ what }: { what: string }): JSX.Element {
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" /> Loading {what} …
    </p>
  );
}

export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Panel({ title, aside, children, id }: { title: string; aside?: ComponentChildren; children: ComponentChildren; id: string }): JSX.Element {
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** Terms and what they are; what is null or empty is left out. */
export function Facts({ of }: { of: [string, ComponentChildren][] }): JSX.Element {
  return (
    <dl class="facts">
      {of
        .filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false)
        .map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** "Show more" under a list. */
export function More({ shown, loading, onMore }: { shown: boolean; loading: boolean; onMore: () => void }): JSX.Element | null {
  return shown ? (
    <p class="more">
      <Button onClick={onMore} busy={loading}>
        Show more
      </Button>
    </p>
  ) : null;
}
