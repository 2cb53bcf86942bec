import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import { accept, ask, Problem } from '../api';
import { count, duration } from '../format';
import { ImportReports, RetryImport, StartImport, type StateFragment, UpdateImport } from '../operations';
import { Button, Link, Notice, Panel, ProblemNotice } from '../parts/basics';
import type { IconName } from '../parts/icons';
import { Meter } from '../parts/meter';
import { go } from '../router';
import { useAction } from '../use-ask';
import { plural } from '../words';
import { Counts } from './counts';
import { keptFor } from './kept';
import { useSending } from './sending';

/** An import that is over: what came of it, and what can be done now. */
export function Outcome({ state }: { state: StateFragment }): JSX.Element {
  const { id, dryRun, failedRows, unprocessedRows, status } = state;
  const leftOver = failedRows + (unprocessedRows ?? 0);
  return (
    <>
      <Summary state={state} />
      {status !== 'EXPIRED' && (
        <Panel id="outcome" title="Outcome">
          <Meter label="Progress of the import" share={state.progress} still />
          <Counts state={state} />
          <div class="row wrap">
            {leftOver > 0 && <Report id={id} which="errorReport" text="Refused rows" />}
            <Report id={id} which="resultReport" text="Result of each row" />
            {leftOver > 0 && !dryRun && <Retry id={id} rows={leftOver} />}
          </div>
          {leftOver > 0 && (
            <p class="hint">
              Both are CSV files. The one with refused rows can be mended and imported as it is: each row stands behind the reason.
            </p>
          )}
        </Panel>
      )}
      {dryRun && (status === 'COMPLETED' || status === 'COMPLETED_WITH_ERRORS') && <ForReal state={state} />}
    </>
  );
}

function Summary({ state }: { state: StateFragment }): JSX.Element {
  const { status, failure, failedRows, totalRows, dryRun, startedAt, finishedAt } = state;
  const taken = state.createdRows + state.updatedRows + state.unchangedRows;
  const seconds = startedAt && finishedAt ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : null;
  const time = seconds === null ? '' : ` It took ${duration(seconds)}.`;
  switch (status) {
    case 'COMPLETED':
      return (
        <Notice tone="good" title={dryRun ? 'Every row would be taken' : 'Every row was taken'}>
          <p>
            {count(totalRows ?? taken)} {plural(totalRows ?? taken, 'row')}.{dryRun && ' Nothing was written: this was a dry run.'}
            {time}
          </p>
        </Notice>
      );
    case 'COMPLETED_WITH_ERRORS':
      return (
        <Notice tone="warn" title={`${count(failedRows)} of ${count(totalRows ?? failedRows + taken)} rows ${dryRun ? 'would be' : plural(failedRows, 'was', 'were')} refused`}>
          <p>
            {dryRun ? 'Nothing was written: this was a dry run.' : `The other ${count(taken)} ${plural(taken, 'row was', 'rows were')} taken.`}
            {time}
          </p>
        </Notice>
      );
    case 'FAILED':
      return (
        <Notice tone="bad" title="The import failed">
          <p>{failure?.message ?? 'The service did not say why.'}</p>
        </Notice>
      );
    case 'EXPIRED':
      return (
        <Notice title="The file was never sent, or the import never started">
          <p>
            <Link to="/imports/new">Choose the file again</Link>.
          </p>
        </Notice>
      );
    default:
      return (
        <Notice title="This import was cancelled">
          <p>Rows that had been taken by then stayed.</p>
        </Notice>
      );
  }
}

const REPORT_ICON: IconName = 'download';

/** A link to a report holds for a quarter of an hour, so it is asked for when it is wanted. */
function Report({ id, which, text }: { id: string; which: 'errorReport' | 'resultReport'; text: string }): JSX.Element {
  const { busy, problem, run } = useAction();
  const download = (): void =>
    run(async () => {
      const found = (await ask(ImportReports, { id })).bulkImport?.[which];
      if (!found) {
        throw new Problem('This report is still being written. Try again in a moment.', 'STATE');
      }
      location.assign(found.url);
    });
  return (
    <div>
      <Button icon={REPORT_ICON} busy={busy} onClick={download}>
        {text}
      </Button>
      {problem && <ProblemNotice problem={problem} />}
    </div>
  );
}

function Retry({ id, rows }: { id: string; rows: number }): JSX.Element {
  const { busy, problem, run } = useAction();
  const retry = (): void =>
    run(async () => {
      const { bulkImport } = accept((await ask(RetryImport, { id })).retryBulkImport);
      if (bulkImport) {
        go(`/imports/${bulkImport.id}`);
      }
    });
  return (
    <div>
      <Button icon="again" busy={busy} onClick={retry}>
        Try {count(rows)} refused {plural(rows, 'row')} again
      </Button>
      {problem && <ProblemNotice problem={problem} />}
    </div>
  );
}

/** After a dry run: the same file, in the same way, this time to be written. */
function ForReal({ state }: { state: StateFragment }): JSX.Element {
  const { sending, problem, send } = useSending();
  const [entry] = useState(() => keptFor(state.id));
  const begin = async (id: string): Promise<void> => {
    accept((await ask(UpdateImport, { id, patch: { dryRun: false } })).updateBulkImport);
    accept((await ask(StartImport, { id })).startBulkImport);
  };
  return (
    <Panel id="for-real" title="Import it">
      {problem && <ProblemNotice problem={problem} />}
      {entry ? (
        <>
          <p>
            The same file with the same columns and options, this time to be written.
            {state.failedRows > 0 && ' Refused rows stay out, and come back in a report.'}
          </p>
          <p>
            <Button look="main" busy={sending !== null} onClick={() => send(entry, begin)}>
              Import {entry.file.name}
            </Button>
          </p>
          {sending && <Meter label="Upload" share={sending.share} />}
        </>
      ) : (
        <p>
          This page was loaded anew, and does not have the file any more. <Link to="/imports/new">Choose it again</Link>.
        </p>
      )}
    </Panel>
  );
}
