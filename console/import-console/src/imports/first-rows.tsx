import type { JSX } from 'preact';

import type { PreviewQuery } from '../operations';
import { Badge } from '../parts/basics';
import { Cell, Row, Table } from '../parts/table';
import { DOCUMENT_TYPE, type Word } from '../words';

type PreviewedRow = NonNullable<PreviewQuery['previewBulkImport']>['rows'][number];
type Customer = NonNullable<PreviewedRow['customer']>;

const FINE: Word = { text: 'Fine', tone: 'good' };
const REMARK: Word = { text: 'Remark', tone: 'warn' };
const REFUSED: Word = { text: 'Refused', tone: 'bad' };

/** What would become of a row. */
export function fateOf(row: PreviewedRow): 'fine' | 'remark' | 'refused' {
  if (row.customer === null) {
    return 'refused';
  }
  return row.problems.length > 0 ? 'remark' : 'fine';
}

/** The first rows as they would be stored, with what is wrong with them. */
export function FirstRows({ rows }: { rows: PreviewedRow[] }): JSX.Element {
  return (
    <Table caption="The first rows of the file, as they would be stored" columns={['Row', 'Customer', 'Contact', 'Address', 'More', 'Verdict']}>
      {rows.map((row) => (
        <PreviewRow key={row.row} row={row} />
      ))}
    </Table>
  );
}

function PreviewRow({ row }: { row: PreviewedRow }): JSX.Element {
  const fate = fateOf(row);
  const { customer } = row;
  return (
    <Row tone={fate}>
      <Cell label="Row" numeric>
        {row.row}
      </Cell>
      <Cell label="Customer">
        {customer ? (
          <>
            <strong>{customer.fullName || customer.company || '–'}</strong>
            {customer.fullName && customer.company && customer.company !== customer.fullName && <span class="sub">{customer.company}</span>}
            {customer.externalId && <span class="sub">{customer.externalId}</span>}
          </>
        ) : (
          <span class="muted">–</span>
        )}
      </Cell>
      <Cell label="Contact">
        {customer?.email && <span class="line">{customer.email}</span>}
        {customer?.phone && <span class="line">{customer.phone}</span>}
      </Cell>
      <Cell label="Address">{customer && addressesOf(customer).map((text) => <span key={text} class="line">{text}</span>)}</Cell>
      <Cell label="More">{customer && moreOf(customer).map((text) => <span key={text} class="sub">{text}</span>)}</Cell>
      <Cell label="Verdict" wide>
        <Badge word={fate === 'fine' ? FINE : fate === 'remark' ? REMARK : REFUSED} />
        {row.problems.map((problem) => (
          <span key={problem.message} class="why">
            {problem.column && <strong>{problem.column}: </strong>}
            {problem.message}
          </span>
        ))}
      </Cell>
    </Row>
  );
}

function addressesOf({ shippingAddress, billingAddress }: Customer): string[] {
  const texts = [shippingAddress, billingAddress].flatMap((one) =>
    one ? [[one.line1, [one.postalCode, one.city].filter(Boolean).join(' '), one.countryCode].filter(Boolean).join(', ')] : [],
  );
  return [...new Set(texts)];
}

function moreOf({ tags, attributes, document }: Customer): string[] {
  return [
    ...(document ? [`${DOCUMENT_TYPE[document.type]} ${document.number ?? ''}`] : []),
    ...(tags.length > 0 ? [`Tags: ${tags.join(', ')}`] : []),
    ...attributes.map(({ key, value }) => `${key}: ${value}`),
  ];
}
