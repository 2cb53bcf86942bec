import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';

import type { Problem } from '../api';
import { bytes, percent, person, when } from '../format';
import { follow } from '../live';
import { FollowImport, OneImport, type StateFragment } from '../operations';
import { Badge, Empty, Link, Loading, ProblemNotice } from '../parts/basics';
import { Page } from '../parts/page';
import { useAsk } from '../use-ask';
import { IMPORT_STATUS, isUnderWay, type Word } from '../words';
import { Outcome } from './outcome';
import { Prepare } from './prepare';
import { RowProblems } from './problems';
import { Progress } from './progress';

const BACK = { to: '/imports', text: 'Imports' };
const DRY_RUN: Word = { text: 'Dry run', tone: 'plain' };

/** One import, from the first look at its file to what came of it. */
export function ImportPage({ id }: { id: string }): JSX.Element {
  const { data, problem, again } = useAsk(OneImport, { id });
  const [latest, setLatest] = useState<StateFragment | null>(null);
  const [broken, setBroken] = useState<Problem | null>(null);
  const found = data?.bulkImport;
  const state = latest ?? found ?? null;
  const live = state !== null && isUnderWay(state.status);
  const onState = useCallback((next: StateFragment) => setLatest(next), []);

  useEffect(
    () =>
      live
        ? follow(FollowImport, { id }, { next: ({ bulkImportProgress }) => setLatest(bulkImportProgress), failed: setBroken })
        : undefined,
    [live, id],
  );

  if (!state) {
    return (
      <Page title="Import" back={BACK}>
        {problem && <ProblemNotice problem={problem} again={again} />}
        {!problem && data === null && <Loading what="the import" />}
        {data && !found && (
          <Empty icon="upload" title="There is no such import">
            <p>
              <Link to="/imports">All imports</Link>
            </p>
          </Empty>
        )}
      </Page>
    );
  }
  return (
    <Page
      title={state.fileName}
      back={BACK}
      badges={
        <>
          <Badge word={IMPORT_STATUS[state.status]} />
          {state.dryRun && state.status !== 'AWAITING_UPLOAD' && <Badge word={DRY_RUN} />}
        </>
      }
      lead={describe(state)}
      moment={state.status === 'AWAITING_UPLOAD' ? 'before' : live ? 'live' : 'over'}
    >
      <Announcement state={state} />
      {broken && live && <ProblemNotice problem={broken} />}
      {state.status === 'AWAITING_UPLOAD' ? (
        <Prepare state={state} onState={onState} />
      ) : (
        <div class="stack">
          {live ? <Progress state={state} onState={onState} /> : <Outcome state={state} />}
          {!live && <RowProblems state={state} />}
        </div>
      )}
    </Page>
  );
}

const STEP = 0.25;

/** What is read out: the beginning, each quarter, the end, and nothing in between. */
function Announcement({ state }: { state: StateFragment }): JSX.Element {
  const { status, progress } = state;
  const quarter = percent(Math.floor(progress / STEP) * STEP);
  return (
    <p class="unseen" role="status">
      {status === 'AWAITING_UPLOAD' ? '' : status === 'RUNNING' ? `The import is at ${quarter}.` : `The import: ${IMPORT_STATUS[status].text}.`}
    </p>
  );
}

function describe({ fileSize, createdAt, requestedBy, mode, matchBy, validation, status }: StateFragment): string {
  const parts = [
    fileSize === null ? '' : bytes(fileSize),
    status === 'AWAITING_UPLOAD' ? '' : mode === 'CREATE' ? 'new customers only' : `updates by ${matchBy.toLowerCase().replace('_', ' ')}`,
    status === 'AWAITING_UPLOAD' ? '' : validation === 'STRICT' ? 'strict' : '',
    `asked for by ${person(requestedBy)}`,
    when(createdAt),
  ];
  return parts.filter(Boolean).join(' · ');
}
