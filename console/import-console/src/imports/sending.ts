import { useEffect, useRef, useState } from 'preact/hooks';

import { accept, ask, Problem, toProblem } from '../api';
import { CreateImport } from '../operations';
import { go } from '../router';
import { keep, type Kept } from './kept';
import { type Sent, Stopped, upload } from './upload';

export interface Sending {
  file: File;
  share: number;
}

/** Announce a file, send it, and go on to the page of its import; with *after*, do that first. */
export function useSending(): {
  sending: Sending | null;
  problem: Problem | null;
  refuse: (problem: Problem) => void;
  send: (entry: Kept, after?: (id: string) => Promise<void>) => void;
  stop: () => void;
} {
  const [sending, setSending] = useState<Sending | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const sent = useRef<Sent | null>(null);
  useEffect(() => () => sent.current?.stop(), []);

  const work = async (entry: Kept, after?: (id: string) => Promise<void>): Promise<void> => {
    const { file, settings } = entry;
    const { createBulkImport } = await ask(CreateImport, { input: { ...settings, fileName: file.name, size: file.size } });
    const { bulkImport, upload: target } = accept(createBulkImport);
    if (!bulkImport || !target) {
      throw new Problem('The service gave an answer that makes no sense. Try again.');
    }
    sent.current = upload(file, target, (share) => setSending({ file, share }));
    await sent.current.done;
    sent.current = null;
    keep(bulkImport.id, entry);
    await after?.(bulkImport.id);
    go(`/imports/${bulkImport.id}`);
  };

  const send = (entry: Kept, after?: (id: string) => Promise<void>): void => {
    setProblem(null);
    setSending({ file: entry.file, share: 0 });
    work(entry, after)
      .catch((error: unknown) => {
        if (!(error instanceof Stopped)) {
          setProblem(toProblem(error));
        }
      })
      .finally(() => setSending(null));
  };

  return { sending, problem, refuse: setProblem, send, stop: () => sent.current?.stop() };
}
