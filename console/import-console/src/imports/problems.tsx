import type { JSX } from 'preact';

import { count } from '../format';
import { ImportProblems, type ImportProblemsQuery, type StateFragment } from '../operations';
import { Badge, Loading, More, Panel, ProblemNotice } from '../parts/basics';
import { Cell, Row, Table } from '../parts/table';
import { usePages } from '../use-pages';
import { plural, type Word } from '../words';

const SEVERITY: Record<'ERROR' | 'WARNING', Word> = {
  ERROR: { text: 'Refused', tone: 'bad' },
  WARNING: { text: 'Remark', tone: 'warn' },
};

const pageOf = (data: ImportProblemsQuery) => data.bulkImport?.errors;

/** What was wrong with which row, in the order of the file. */
export function RowProblems({ state }: { state: StateFragment }): JSX.Element | null {
  const { items, problem, loading, hasMore, more, again } = usePages(ImportProblems, { id: state.id }, pageOf);
  if (state.failedRows === 0 && state.warningRows === 0 && !items?.length) {
    return null;
  }
  return (
    <Panel id="problems" title="Refused rows and remarks">
      <p class="muted">
        {count(state.failedRows)} {plural(state.failedRows, 'row')} refused, {count(state.warningRows)} taken with remarks. Row 1 is the first
        after the header.
      </p>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {items === null && !problem && <Loading what="rows" />}
      {items && (
        <Table caption="Rows that were refused or remarked on" columns={['Row', 'What', 'Column', 'Why']}>
          {items.map((one, at) => (
            <Row key={at}>
              <Cell label="Row" numeric>
                {count(one.row)}
              </Cell>
              <Cell label="What">
                <Badge word={SEVERITY[one.severity]} />
              </Cell>
              <Cell label="Column">{one.column ?? <span class="muted">whole row</span>}</Cell>
              <Cell label="Why" wide>
                {one.message}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <More shown={hasMore} loading={loading} onMore={more} />
    </Panel>
  );
}
