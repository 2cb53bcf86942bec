import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import { ago, day, when } from '../format';
import { Documents, type DocumentsQuery, type DocumentStatus } from '../operations';
import { Badge, Empty, Link, Loading, More, ProblemNotice } from '../parts/basics';
import { Segments } from '../parts/choices';
import { Page } from '../parts/page';
import { Cell, Row, Table } from '../parts/table';
import { usePages } from '../use-pages';
import { DOCUMENT_STATUS, DOCUMENT_TYPE } from '../words';

type Line = DocumentsQuery['documents']['nodes'][number];

const pageOf = (data: DocumentsQuery) => data.documents;
const CHOICES: { value: DocumentStatus; text: string }[] = [
  { value: 'PENDING_REVIEW', text: 'To be reviewed' },
  { value: 'VERIFIED', text: 'Approved' },
  { value: 'REJECTED', text: 'Rejected' },
  { value: 'EXPIRED', text: 'Expired' },
];

/** Documents, those to be reviewed first. */
export function DocumentList(): JSX.Element {
  const [status, setStatus] = useState<DocumentStatus>('PENDING_REVIEW');
  return (
    <Page title="Documents">
      <div class="filter">
        <Segments legend="State" choices={CHOICES} value={status} onChange={setStatus} />
      </div>
      <Results key={status} status={status} />
    </Page>
  );
}

function Results({ status }: { status: DocumentStatus }): JSX.Element {
  const { items, problem, loading, hasMore, more, again } = usePages(Documents, { status }, pageOf);
  if (problem) {
    return <ProblemNotice problem={problem} again={again} />;
  }
  if (items === null) {
    return <Loading what="documents" />;
  }
  if (items.length === 0) {
    return <Empty icon="paper" title={status === 'PENDING_REVIEW' ? 'Nothing waits for review' : 'No document is in this state'} />;
  }
  return (
    <>
      <div class="panel flush">
        <Table caption={`Documents: ${DOCUMENT_STATUS[status].text}`} columns={['Document', 'Customer', 'Number', 'Valid until', 'Changed']}>
          {items.map((document) => (
            <DocumentRow key={document.id} document={document} />
          ))}
        </Table>
      </div>
      <More shown={hasMore} loading={loading} onMore={more} />
    </>
  );
}

function DocumentRow({ document }: { document: Line }): JSX.Element {
  const { id, type, status, number, issuingCountry, expiresOn, updatedAt, customer } = document;
  return (
    <Row>
      <Cell label="Document" wide>
        <Link to={`/documents/${id}`} class="strong">
          {DOCUMENT_TYPE[type]}
        </Link>{' '}
        {status !== 'PENDING_REVIEW' && <Badge word={DOCUMENT_STATUS[status]} />}
      </Cell>
      <Cell label="Customer">
        <Link to={`/customers/${customer.id}`}>{customer.fullName || customer.email || customer.id}</Link>
      </Cell>
      <Cell label="Number">{[issuingCountry, number].filter(Boolean).join(' ') || '–'}</Cell>
      <Cell label="Valid until">{expiresOn ? day(expiresOn) : '–'}</Cell>
      <Cell label="Changed">
        <time dateTime={updatedAt} title={when(updatedAt)}>
          {ago(updatedAt)}
        </time>
      </Cell>
    </Row>
  );
}
