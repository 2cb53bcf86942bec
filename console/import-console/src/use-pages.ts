import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

import { ask, type Problem, toProblem } from './api';
import type { Operation } from './operations';

export interface Page<Item> {
  nodes: Item[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export interface Pages<Item, Data> {
  items: Item[] | null;
  /** The answer with the first page. */
  first: Data | null;
  problem: Problem | null;
  loading: boolean;
  hasMore: boolean;
  more: () => void;
  again: () => void;
  change: (change: (items: Item[]) => Item[]) => void;
}

/** A list that grows by a page at a time. `pageOf` finds the page in an answer. */
export function usePages<Item, Data, Variables extends object>(
  operation: Operation<Data, Variables>,
  variables: Variables,
  pageOf: (data: Data) => Page<Item> | null | undefined,
): Pages<Item, Data> {
  const [items, setItems] = useState<Item[] | null>(null);
  const [first, setFirst] = useState<Data | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const latest = useRef(0);
  const key = JSON.stringify(variables);

  const load = useCallback(
    (after: string | null) => {
      latest.current += 1;
      const mine = latest.current;
      setLoading(true);
      ask(operation, { ...variables, after })
        .then((answer) => {
          const page = pageOf(answer);
          if (mine !== latest.current) {
            return;
          }
          setItems((before) => [...(after === null ? [] : (before ?? [])), ...(page?.nodes ?? [])]);
          setCursor(page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null);
          setProblem(null);
          if (after === null) {
            setFirst(answer);
          }
        })
        .catch((error: unknown) => {
          if (mine === latest.current) {
            setProblem(toProblem(error));
          }
        })
        .finally(() => {
          if (mine === latest.current) {
            setLoading(false);
          }
        });
    },
    [operation, key],
  );

  useEffect(() => {
    load(null);
    return () => {
      latest.current += 1;
    };
  }, [load, round]);

  return {
    items,
    first,
    problem,
    loading,
    hasMore: cursor !== null,
    more: () => load(cursor),
    again: useCallback(() => setRound((value) => value + 1), []),
    change: useCallback((change) => setItems((before) => before && change(before)), []),
  };
}
