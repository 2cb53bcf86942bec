import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import { Problem } from '../api';
import { bytes } from '../format';
import type { PaperFragment } from '../operations';
import { Button, Loading, ProblemNotice } from '../parts/basics';

type File = NonNullable<PaperFragment['file']>;

// What the service has checked by the first bytes of the file, and what a browser shows without running anything of it.
const SHOWN = new Set(['image/jpeg', 'image/png', 'application/pdf']);

/**
 * The file of a document. The store hands it out as a download only, so it is fetched and shown from memory, under the type that
 * the service has checked: nothing that was sent can become a page of ours.
 */
export function ShownFile({ file, url, title, again }: { file: File; url: string; title: string; again: () => void }): JSX.Element {
  const { address, problem } = useFile(file, url);
  if (!SHOWN.has(file.contentType)) {
    return <p class="muted">Files of this type are not shown here. Download it instead.</p>;
  }
  if (problem) {
    return <ProblemNotice problem={problem} again={again} />;
  }
  if (address === null) {
    return <Loading what="the file" />;
  }
  return file.contentType === 'application/pdf' ? (
    <iframe class="sheet" src={address} title={title} />
  ) : (
    <Picture address={address} title={title} />
  );
}

/** A picture that fits, and comes closer on demand. */
function Picture({ address, title }: { address: string; title: string }): JSX.Element {
  const [close, setClose] = useState(false);
  const [broken, setBroken] = useState(false);
  if (broken) {
    return <p class="muted">This picture is damaged and cannot be shown. Download it, or reject the document.</p>;
  }
  return (
    <>
      <div class={`sheet picture ${close ? 'close' : ''}`} tabIndex={0} role="group" aria-label={title}>
        <img src={address} alt={title} onError={() => setBroken(true)} />
      </div>
      <p>
        <Button look="quiet" icon="search" onClick={() => setClose(!close)}>
          {close ? 'Fit into the page' : 'Look closer'}
        </Button>
      </p>
    </>
  );
}

function useFile(file: File, url: string): { address: string | null; problem: Problem | null } {
  const [address, setAddress] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    if (!SHOWN.has(file.contentType)) {
      return undefined;
    }
    const leaving = new AbortController();
    let made: string | null = null;
    setAddress(null);
    setProblem(null);
    fetch(url, { signal: leaving.signal, referrerPolicy: 'no-referrer' })
      .then(async (answer) => {
        if (!answer.ok) {
          throw new Problem(`The object store did not hand out the file (${answer.status}).`);
        }
        made = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: file.contentType }));
        setAddress(made);
      })
      .catch((error: unknown) => {
        if (!leaving.signal.aborted) {
          setProblem(error instanceof Problem ? error : new Problem('The object store does not answer. Look at your connection.'));
        }
      });
    return () => {
      leaving.abort();
      if (made !== null) {
        URL.revokeObjectURL(made);
      }
    };
    // The link is another one in every answer; the file is the same as long as its checksum is.
  }, [file.sha256, file.contentType]);
  return { address, problem };
}

/** What is known of the file in one line. */
export const describeFile = (file: File): string => `${file.name}, ${bytes(file.size)}`;
