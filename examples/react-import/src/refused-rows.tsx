import { RefusedRowsDocument } from 'customer-service-client/operations';
import { useState } from 'react';
import { useQuery } from 'urql';

const PAGE = 20;

/** What was wrong with which row. Each page is a query of its own, so urql keeps each by its cursor. */
export function RefusedRows({ id }: { id: string }) {
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  return (
    <table>
      <caption>Refused rows and remarks; row 1 is the first after the header</caption>
      <thead>
        <tr>
          <th scope="col">Row</th>
          <th scope="col">Column</th>
          <th scope="col">What</th>
          <th scope="col">Why</th>
        </tr>
      </thead>
      {cursors.map((after, at) => (
        <Rows key={after ?? ""} id={id} after={after} {...(at === cursors.length - 1 && { onMore: (next: string) => setCursors([...cursors, next]) })} />
      ))}
    </table>
  );
}

function Rows({ id, after, onMore }: { id: string; after: string | null; onMore?: (cursor: string) => void }) {
  const [{ data, error }] = useQuery({ query: RefusedRowsDocument, variables: { id, first: PAGE, after } });
  const page = data?.bulkImport?.errors;
  const next = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  return (
    <tbody>
      {error && (
        <tr>
          <td colSpan={4} role="alert">
            {error.message}
          </td>
        </tr>
      )}
      {page?.nodes.map((one, at) => (
        <tr key={at}>
          <td>{one.row}</td>
          <td>{one.column ?? 'whole row'}</td>
          <td>{one.severity === 'ERROR' ? 'Refused' : 'Remark'}</td>
          <td>{one.message}</td>
        </tr>
      ))}
      {next && onMore && (
        <tr>
          <td colSpan={4}>
            <button type="button" onClick={() => onMore(next)}>
              Show more
            </button>
          </td>
        </tr>
      )}
    </tbody>
  );
}
