import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { ask, type Problem, toProblem } from './api';
import type { Operation } from './operations';

export interface Asked<Data> {
  data: Data | null;
  problem: Problem | null;
  loading: boolean;
  again: () => void;
}

/**
 * Ask when the component appears and whenever the variables change; with null, do not. What was there stays until the next answer, and an answer
 * that was overtaken is dropped.
 */
export function useAsk<Data, Variables>(operation: Operation<Data, Variables>, variables: Variables | null): Asked<Data> {
  const [data, setData] = useState<Data | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const key = JSON.stringify(variables);
  const latest = useRef(0);

  useEffect(() => {
    latest.current += 1;
    const mine = latest.current;
    if (variables === null) {
      setData(null);
      setLoading(false);
      return undefined;
    }
    const still = (): boolean => mine === latest.current;
    setLoading(true);
    ask(operation, variables)
      .then((answer) => {
        if (still()) {
          setData(answer);
          setProblem(null);
        }
      })
      .catch((error: unknown) => {
        if (still()) {
          setProblem(toProblem(error));
        }
      })
      .finally(() => {
        if (still()) {
          setLoading(false);
        }
      });
    return () => {
      latest.current += 1;
    };
  }, [operation, key, round]);

  return { data, problem, loading, again: useCallback(() => setRound((value) => value + 1), []) };
}

/** Do something once at a time, and keep what went wrong. */
export function useAction(): { busy: boolean; problem: Problem | null; run: (action: () => Promise<void>) => void; clear: () => void } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = useCallback((action: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    action()
      .catch((error: unknown) => setProblem(toProblem(error)))
      .finally(() => setBusy(false));
  }, []);
  return { busy, problem, run, clear: useCallback(() => setProblem(null), []) };
}
