import { accepted } from 'customer-service-client';
import { CancelImportDocument, FollowImportDocument, type FollowImportSubscription, RetryImportDocument, StartImportDocument } from 'customer-service-client/operations';
import { useState } from 'react';
import { useClient, useSubscription } from 'urql';

import { answered } from './new-import';
import { RefusedRows } from './refused-rows';

type State = FollowImportSubscription['bulkImportProgress'];

const UNDER_WAY = new Set(['AWAITING_UPLOAD', 'QUEUED', 'RUNNING']);
const COUNT = new Intl.NumberFormat();

interface Props {
  id: string;
  onAgain: () => void;
  onRetried: (id: string) => void;
}

/** An import as it happens: the subscription begins with the present state, also after the line broke. */
export function RunningImport({ id, onAgain, onRetried }: Props) {
  const [{ data, error }] = useSubscription({ query: FollowImportDocument, variables: { id } });
  const state = data?.bulkImportProgress;
  if (error) {
    return <p role="alert">{error.message}</p>;
  }
  if (!state) {
    return <p aria-busy="true">One moment …</p>;
  }
  const over = !UNDER_WAY.has(state.status);
  return (
    <section aria-label={state.fileName}>
      <h2>{state.fileName}</h2>
      <p role="status">{over ? outcomeOf(state) : 'Running'}</p>
      <progress value={state.progress} max={1} aria-label="Progress of the import" />
      {!over && <p className="pace">{paceOf(state)}</p>}
      <dl>
        {[
          ['Created', state.createdRows],
          ['Updated', state.updatedRows],
          ['Unchanged', state.unchangedRows],
          ['With remarks', state.warningRows],
          ['Refused', state.failedRows],
        ].map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{COUNT.format(Number(value))}</dd>
          </div>
        ))}
      </dl>
      <Actions state={state} over={over} onAgain={onAgain} onRetried={onRetried} />
      {over && state.failedRows + state.warningRows > 0 && <RefusedRows id={id} />}
    </section>
  );
}

function outcomeOf({ status, failedRows, failure }: State): string {
  switch (status) {
    case 'COMPLETED':
      return 'Done';
    case 'COMPLETED_WITH_ERRORS':
      return `Done, ${COUNT.format(failedRows)} refused`;
    case 'CANCELED':
      return 'Cancelled; rows taken by then stay';
    default:
      return failure?.message ?? status;
  }
}

/** "2,100 of 30,000 rows, 337 a second, about 83 s left". */
function paceOf({ processedRows, totalRows, rowsPerSecond, estimatedCompletionAt }: State): string {
  const rows = totalRows == null ? `${COUNT.format(processedRows)} rows` : `${COUNT.format(processedRows)} of ${COUNT.format(totalRows)} rows`;
  const rate = rowsPerSecond == null ? '' : `, ${COUNT.format(Math.round(rowsPerSecond))} a second`;
  const left = estimatedCompletionAt == null ? '' : `, about ${Math.max(1, Math.round((Date.parse(estimatedCompletionAt) - Date.now()) / 1000))} s left`;
  return rows + rate + left;
}

function Actions({ state, over, onAgain, onRetried }: { state: State; over: boolean } & Pick<Props, 'onAgain' | 'onRetried'>) {
  const client = useClient();
  const [problem, setProblem] = useState<string>();
  const run = (action: () => Promise<void>) => {
    setProblem(undefined);
    action().catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
  };
  const cancel = async () => {
    accepted(answered(await client.mutation(CancelImportDocument, { id: state.id })).cancelBulkImport);
  };
  const retry = async () => {
    const { bulkImport } = accepted(answered(await client.mutation(RetryImportDocument, { id: state.id })).retryBulkImport);
    if (bulkImport) {
      if (bulkImport.status === 'AWAITING_UPLOAD') {
        accepted(answered(await client.mutation(StartImportDocument, { id: bulkImport.id })).startBulkImport);
      }
      onRetried(bulkImport.id);
    }
  };
  return (
    <>
      <p className="actions">
        {!over && (
          <button type="button" onClick={() => run(cancel)}>
            Cancel
          </button>
        )}
        {over && (
          <button type="button" onClick={onAgain}>
            Another file
          </button>
        )}
        {over && state.failedRows > 0 && (
          <button type="button" onClick={() => run(retry)}>
            Try the refused again
          </button>
        )}
      </p>
      {problem && <p role="alert">{problem}</p>}
    </>
  );
}
