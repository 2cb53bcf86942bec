import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

import { accept, ask, type Problem, toProblem } from '../api';
import { type BulkImportEncoding, type BulkImportPatch, type ColumnMapping, Preview, type PreviewQuery, StartImport, type StateFragment, UpdateImport } from '../operations';
import { Button, Empty, Link, Loading, Notice, Panel, ProblemNotice } from '../parts/basics';
import { useAction, useAsk } from '../use-ask';
import { plural } from '../words';
import { fateOf, FirstRows } from './first-rows';
import { keepSettings } from './kept';
import { chosenIn, Mapping } from './mapping';
import { type Choice, Options } from './options';

type Found = NonNullable<PreviewQuery['previewBulkImport']>;

interface PrepareProps {
  state: StateFragment;
  onState: (state: StateFragment) => void;
}

/** An import that is not started: what was recognised, what may be changed, and the start. */
export function Prepare({ state, onState }: PrepareProps): JSX.Element {
  const { id } = state;
  const { data, problem, loading, again } = useAsk(Preview, { id });
  const settings = useSettings(state, onState, again);
  const starting = useAction();
  const preview = data?.previewBulkImport;
  useEffect(() => {
    if (preview && settings.columns === null) {
      settings.begin(chosenIn(preview));
    }
  }, [preview]);

  if (problem && !preview) {
    return <ProblemNotice problem={problem} again={again} />;
  }
  if (!preview) {
    return <Loading what="what was recognised" />;
  }
  const missing = preview.userErrors.some((error) => error.code === 'UPLOAD_MISSING');
  if (missing) {
    return (
      <Empty icon="upload" title="The file of this import never arrived">
        <p class="muted">Its upload was stopped or broke off.</p>
        <p>
          <Link to="/imports/new" class="button main">
            Choose the file again
          </Link>
        </p>
      </Empty>
    );
  }
  const start = (dryRun: boolean): void =>
    starting.run(async () => {
      accept((await ask(UpdateImport, { id, patch: { dryRun } })).updateBulkImport);
      const { bulkImport } = accept((await ask(StartImport, { id })).startBulkImport);
      if (bulkImport) {
        onState(bulkImport);
      }
    });
  return (
    <div class="beside">
      <div class="stack">
        <Problems preview={preview} problem={problem ?? settings.problem} />
        {(preview.columns.length > 0 || preview.format !== null) && (
          <Panel id="columns" title="Columns" aside={(loading || settings.saving) && <span class="muted small">Looking again …</span>}>
            <Mapping preview={preview} chosen={settings.columns ?? []} onChange={(columns) => settings.change({ columns })} />
          </Panel>
        )}
        {preview.rows.length > 0 && (
          <Panel id="first-rows" title="First rows">
            <FirstRows rows={preview.rows} />
          </Panel>
        )}
      </div>
      <div class="stack side">
        <Panel id="start" title="Start">
          <Verdict preview={preview} />
          {starting.problem && <ProblemNotice problem={starting.problem} />}
          <Start disabled={preview.userErrors.length > 0 || settings.saving} busy={starting.busy} onStart={start} />
        </Panel>
        <Panel id="options" title="Options">
          <Options choice={{ ...state, ...settings.wanted }} format={preview.format} encoding={settings.encoding} delimiter={settings.delimiter} onChange={settings.change} />
        </Panel>
      </div>
    </div>
  );
}

function Problems({ preview, problem }: { preview: Found; problem: Problem | null }): JSX.Element {
  return (
    <>
      {problem && <ProblemNotice problem={problem} />}
      {preview.userErrors.length > 0 && (
        <Notice tone="bad" title="It cannot be started like this">
          {preview.userErrors.map((error) => (
            <p key={error.message}>{error.message}</p>
          ))}
          <p>
            <Link to="/imports/new">Choose another file</Link>
          </p>
        </Notice>
      )}
    </>
  );
}

function Verdict({ preview }: { preview: Found }): JSX.Element {
  const { rows, userErrors } = preview;
  const of = (fate: string): number => rows.filter((row) => fateOf(row) === fate).length;
  const [fine, remark, refused] = [of('fine'), of('remark'), of('refused')];
  return (
    <p role="status">
      {userErrors.length > 0
        ? 'Mend what is said at the top first.'
        : rows.length === 0
          ? 'The file has a header and no rows.'
          : `Of the first ${rows.length} ${plural(rows.length, 'row')}: ${fine} fine, ${remark} with remarks, ${refused} refused.`}
    </p>
  );
}

function Start({ disabled, busy, onStart }: { disabled: boolean; busy: boolean; onStart: (dryRun: boolean) => void }): JSX.Element {
  return (
    <div class="stack tight">
      <Button look="main" onClick={() => onStart(false)} disabled={disabled} busy={busy}>
        Import
      </Button>
      <Button onClick={() => onStart(true)} disabled={disabled || busy} describedBy="dry-run">
        Dry run
      </Button>
      <p class="hint" id="dry-run">
        A dry run checks every row and writes nothing.
      </p>
    </div>
  );
}

/** What is changed about an import is kept at once, one change after the other; then it is looked at again. */
function useSettings(
  state: StateFragment,
  onState: (state: StateFragment) => void,
  again: () => void,
): {
  columns: ColumnMapping[] | null;
  /** What was chosen and may not have reached the service yet. */
  wanted: Partial<Choice>;
  encoding: BulkImportEncoding | null;
  delimiter: string | null;
  saving: boolean;
  problem: Problem | null;
  begin: (columns: ColumnMapping[]) => void;
  change: (patch: BulkImportPatch) => void;
} {
  const [columns, setColumns] = useState<ColumnMapping[] | null>(null);
  const [encoding, setEncoding] = useState<BulkImportEncoding | null>(null);
  const [delimiter, setDelimiter] = useState<string | null>(null);
  const [wanted, setWanted] = useState<Partial<Choice>>({});
  const [open, setOpen] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(null);
  const queue = useRef(Promise.resolve());

  const save = async (patch: BulkImportPatch): Promise<void> => {
    try {
      const { bulkImport } = accept((await ask(UpdateImport, { id: state.id, patch })).updateBulkImport);
      keepSettings(state.id, patch);
      setProblem(null);
      if (bulkImport) {
        onState(bulkImport);
      }
      again();
    } catch (error) {
      setProblem(toProblem(error));
      setWanted({});
    } finally {
      setOpen((value) => value - 1);
    }
  };
  const change = (patch: BulkImportPatch): void => {
    if (patch.columns !== undefined) {
      setColumns(patch.columns);
    }
    if (patch.encoding !== undefined) {
      setEncoding(patch.encoding);
    }
    if (patch.delimiter !== undefined) {
      setDelimiter(patch.delimiter);
    }
    const { mode, matchBy, validation } = patch;
    setWanted((before) => ({ ...before, ...(mode && { mode }), ...(matchBy && { matchBy }), ...(validation && { validation }) }));
    setOpen((value) => value + 1);
    queue.current = queue.current.then(() => save(patch));
  };
  return { columns, wanted, encoding, delimiter, saving: open > 0, problem, begin: setColumns, change };
}
