import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { ago, count, percent, person, when } from '../format';
import { follow } from '../live';
import { type BulkImportStatus, FollowImports, Imports, type ImportsQuery, type StateFragment } from '../operations';
import { Badge, Empty, Link, Loading, More, ProblemNotice } from '../parts/basics';
import { PickOne } from '../parts/choices';
import { Icon } from '../parts/icons';
import { Page } from '../parts/page';
import { Cell, Row, Table } from '../parts/table';
import { usePages } from '../use-pages';
import { IMPORT_STATUS, isUnderWay } from '../words';

const ALL = 'ALL';
const OPTIONS = [
  { value: ALL, text: 'All' },
  ...Object.entries(IMPORT_STATUS).map(([value, word]) => ({ value, text: word.text })),
];

const pageOf = (data: ImportsQuery) => data.bulkImports;
const wait = (): void => undefined;

/** All imports of the seller, the newest first, as they are at the moment. */
export function ImportList(): JSX.Element {
  const [status, setStatus] = useState<string>(ALL);
  const chosen = status === ALL ? null : (status as BulkImportStatus);
  const { items, problem, loading, hasMore, more, again, change } = usePages(Imports, { status: chosen }, pageOf);

  useEffect(
    () => follow(FollowImports, {}, { next: ({ bulkImportsProgress }) => change((list) => withState(list, bulkImportsProgress, chosen)), failed: wait }),
    [chosen],
  );

  return (
    <Page
      title="Imports"
      actions={
        <Link to="/imports/new" class="button main">
          <Icon name="upload" /> <span>New import</span>
        </Link>
      }
    >
      <div class="filter">
        <PickOne label="State" options={OPTIONS} value={status} onChange={setStatus} />
      </div>
      {problem && <ProblemNotice problem={problem} again={again} />}
      {items === null && !problem && <Loading what="imports" />}
      {items?.length === 0 &&
        (chosen === null ? (
          <Empty icon="upload" title="No imports yet">
            <p class="muted">Send a file of customers, and follow it here.</p>
            <p>
              <Link to="/imports/new" class="button main">
                New import
              </Link>
            </p>
          </Empty>
        ) : (
          <Empty icon="search" title="No import is in this state" />
        ))}
      {items !== null && items.length > 0 && (
        <div class="panel flush">
          <Table caption="Imports, the newest first" columns={['File', 'State', 'Rows', 'Refused', 'Asked for']}>
            {items.map((state) => (
              <ImportRow key={state.id} state={state} />
            ))}
          </Table>
        </div>
      )}
      <More shown={hasMore} loading={loading} onMore={more} />
    </Page>
  );
}

function ImportRow({ state }: { state: StateFragment }): JSX.Element {
  const { id, fileName, status, dryRun, totalRows, processedRows, failedRows, createdAt, requestedBy, progress } = state;
  return (
    <Row>
      <Cell label="File" wide>
        <Link to={`/imports/${id}`} class="strong">
          {fileName}
        </Link>
        {dryRun && <span class="sub">Dry run</span>}
      </Cell>
      <Cell label="State">
        <Badge word={IMPORT_STATUS[status]} /> {isUnderWay(status) && <span class="muted">{percent(progress)}</span>}
      </Cell>
      <Cell label="Rows" numeric>
        {status === 'AWAITING_UPLOAD' ? '–' : count(totalRows ?? processedRows)}
      </Cell>
      <Cell label="Refused" numeric>
        {failedRows > 0 ? <strong class="bad-text">{count(failedRows)}</strong> : status === 'AWAITING_UPLOAD' ? '–' : '0'}
      </Cell>
      <Cell label="Asked for">
        <time dateTime={createdAt} title={when(createdAt)}>
          {ago(createdAt)}
        </time>
        <span class="sub">{person(requestedBy)}</span>
      </Cell>
    </Row>
  );
}

/** The list with the newest state of one import; one that is new here comes first. */
function withState(list: StateFragment[], state: StateFragment, chosen: BulkImportStatus | null): StateFragment[] {
  if (list.some((one) => one.id === state.id)) {
    return list.map((one) => (one.id === state.id ? state : one));
  }
  const isNewest = list.every((one) => one.createdAt <= state.createdAt);
  return isNewest && (chosen === null || chosen === state.status) ? [state, ...list] : list;
}
