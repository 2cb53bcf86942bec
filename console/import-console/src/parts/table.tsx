import type { ComponentChildren, JSX } from 'preact';

interface TableProps {
  caption: string;
  columns: string[];
  children: ComponentChildren;
}

/**
 * A table that becomes a list of cards where there is no room. The roles say again what the elements mean: a cell that is drawn
 * as a block is no cell to some screen readers.
 */
export function Table({ caption, columns, children }: TableProps): JSX.Element {
  return (
    <table class="table" role="table">
      <caption class="unseen">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column} scope="col" role="columnheader">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">{children}</tbody>
    </table>
  );
}

export function Row({ children, tone }: { children: ComponentChildren; tone?: string | undefined }): JSX.Element {
  return (
    <tr role="row" class={tone}>
      {children}
    </tr>
  );
}

/** *label* repeats the head of the column where the table is drawn as cards. */
export function Cell({ label, children, numeric = false, wide = false }: { label: string; children: ComponentChildren; numeric?: boolean; wide?: boolean }): JSX.Element {
  return (
    <td role="cell" data-label={label} class={`${numeric ? 'numeric' : ''} ${wide ? 'wide' : ''}`.trim() || undefined}>
      {children}
    </td>
  );
}
