import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

import { Link } from './basics';
import { Icon } from './icons';

interface PageProps {
  title: string;
  /** What stands before the title in small, and leads back. */
  back?: { to: string; text: string };
  badges?: ComponentChildren;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  /** What the page is about at the moment. When it changes and takes the focused button with it, the title gets the focus. */
  moment?: string;
  children: ComponentChildren;
}

let first = true;

/** One page. Its title is what the tab is called, and where the reader is taken when the page changes. */
export function Page({ title, back, badges, lead, actions, moment, children }: PageProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!first) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first = false;
  }, []);
  useEffect(() => {
    if (moment !== undefined && document.activeElement === document.body) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }, [moment]);
  useEffect(() => {
    document.title = `${title} · Customer Service`;
  }, [title]);
  return (
    <>
      <header class="page-head">
        <div>
          {back && (
            <Link to={back.to} class="back">
              <Icon name="back" /> {back.text}
            </Link>
          )}
          <div class="title-line">
            <h1 ref={heading} tabIndex={-1}>
              {title}
            </h1>
            {badges}
          </div>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </>
  );
}
