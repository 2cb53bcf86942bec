import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { accept, ask } from '../api';
import { clock, count, duration, percent } from '../format';
import { type Line, watchLine } from '../live';
import { CancelImport, type StateFragment } from '../operations';
import { Button, Panel, ProblemNotice } from '../parts/basics';
import { Dialog } from '../parts/dialog';
import { Meter } from '../parts/meter';
import { useAction } from '../use-ask';
import { Counts } from './counts';

const MOST_POINTS = 120;
const WIDTH = 240;
const HEIGHT = 44;

interface ProgressProps {
  state: StateFragment;
  onState: (state: StateFragment) => void;
}

/** An import that waits for a worker or is worked through, as it happens. */
export function Progress({ state, onState }: ProgressProps): JSX.Element {
  const { totalRows, processedRows, progress, rowsPerSecond, status } = state;
  return (
    <Panel id="progress" title="Progress" aside={<LineState />}>
      <div class="pace">
        <p class="big" aria-hidden="true">
          {percent(progress)}
        </p>
        <p class="muted">
          {status === 'QUEUED' || totalRows === null
            ? `${count(processedRows)} rows so far`
            : `${count(processedRows)} of ${count(totalRows)} rows`}
          <br />
          <strong>{rowsPerSecond === null ? '–' : `${count(Math.round(rowsPerSecond))} rows a second`}</strong>
        </p>
        <Pace state={state} />
        <p class="muted remaining">
          <Remaining state={state} />
        </p>
      </div>
      <Meter label="Progress of the import" share={progress} />
      <Counts state={state} />
      <Cancel state={state} onState={onState} />
    </Panel>
  );
}

function LineState(): JSX.Element {
  const [line, setLine] = useState<Line>('connecting');
  useEffect(() => watchLine(setLine), []);
  const words = { live: 'Live', connecting: 'Connecting …', broken: 'Connecting again …' };
  return (
    <span class={`line-state ${line}`} role="status">
      {words[line]}
    </span>
  );
}

function Remaining({ state }: { state: StateFragment }): JSX.Element {
  const { estimatedCompletionAt, status } = state;
  if (status === 'QUEUED') {
    return <>Waiting for a worker</>;
  }
  if (estimatedCompletionAt === null) {
    return <>Working out how long it takes</>;
  }
  const seconds = (Date.parse(estimatedCompletionAt) - Date.now()) / 1000;
  return (
    <>
      {seconds < 2 ? 'Any moment now' : `About ${duration(seconds)} left`}
      {seconds >= 60 && <>, until {clock(estimatedCompletionAt)}</>}
    </>
  );
}

/** The last rates as a line; the number beside it says the same. */
function Pace({ state }: { state: StateFragment }): JSX.Element | null {
  const rates = useRef<number[]>([]);
  useEffect(() => {
    if (state.rowsPerSecond !== null) {
      rates.current = [...rates.current, state.rowsPerSecond].slice(-MOST_POINTS);
    }
  }, [state.processedRows]);
  const points = rates.current;
  if (points.length < 2) {
    return null;
  }
  const top = Math.max(...points) || 1;
  const path = points.map((rate, at) => `${(at / (points.length - 1)) * WIDTH},${HEIGHT - 2 - (rate / top) * (HEIGHT - 4)}`).join(' ');
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={path} />
    </svg>
  );
}

function Cancel({ state, onState }: ProgressProps): JSX.Element {
  const [asking, setAsking] = useState(false);
  const { busy, problem, run } = useAction();
  const cancel = (): void =>
    run(async () => {
      const { bulkImport } = accept((await ask(CancelImport, { id: state.id })).cancelBulkImport);
      setAsking(false);
      if (bulkImport) {
        onState(bulkImport);
      }
    });
  return (
    <>
      <p>
        <Button look="quiet" icon="cross" onClick={() => setAsking(true)}>
          Cancel the import
        </Button>
      </p>
      {asking && (
        <Dialog title="Cancel this import?" onClose={() => setAsking(false)}>
          <p>Rows that were taken already stay. What is left can be imported later.</p>
          {problem && <ProblemNotice problem={problem} />}
          <p class="row end">
            <Button onClick={() => setAsking(false)}>Go on</Button>
            <Button look="bad" busy={busy} onClick={cancel}>
              Cancel it
            </Button>
          </p>
        </Dialog>
      )}
    </>
  );
}
