import type { JSX } from 'preact';

import { count } from '../format';
import type { StateFragment } from '../operations';

/** How many rows came to what. */
export function Counts({ state }: { state: StateFragment }): JSX.Element {
  const { dryRun, createdRows, updatedRows, unchangedRows, failedRows, warningRows, unprocessedRows } = state;
  const shown: [string, number, string][] = [
    [dryRun ? 'To be created' : 'Created', createdRows, 'good'],
    [dryRun ? 'To be updated' : 'Updated', updatedRows, 'good'],
    ['Unchanged', unchangedRows, ''],
    ['With remarks', warningRows, warningRows > 0 ? 'warn' : ''],
    ['Refused', failedRows, failedRows > 0 ? 'bad' : ''],
  ];
  if (unprocessedRows) {
    shown.push(['Never attempted', unprocessedRows, 'warn']);
  }
  return (
    <dl class="counts">
      {shown.map(([term, value, tone]) => (
        <div key={term} class={tone}>
          <dt>{term}</dt>
          <dd>{count(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
