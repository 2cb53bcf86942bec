import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

import type { PreviewQuery } from '../operations';
import { Badge, Button } from '../parts/basics';
import { Cell, Row, Table } from '../parts/table';
import { DOCUMENT_TYPE, plural, type Word } from '../words';

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

const AT_FIRST = 6;

/** The first rows as they would be stored, with what is wrong with them. */
export function FirstRows({ rows }: { rows: PreviewedRow[] }): JSX.Element {
  const [all, setAll] = useState(false);
  return (
    <>
      <Table caption="The first rows of the file, as they would be stored" columns={['Row', 'Customer', 'Contact', 'Address', 'More', 'Verdict']}>
        {(all ? rows : rows.slice(0, AT_FIRST)).map((row) => (
          <PreviewRow key={row.row} row={row} />
        ))}
      </Table>
      {!all && rows.length > AT_FIRST && (
        <p class="more">
          <Button onClick={() => setAll(true)}>Show {rows.length - AT_FIRST} more</Button>
        </p>
      )}
    </>
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
      <Cell label="More">
        {customer && moreOf(customer).map((text) => <span key={text} class="line">{text}</span>)}
        {customer && customer.attributes.length > 0 && <Attributes of={customer.attributes} />}
      </Cell>
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

function Attributes({ of }: { of: Customer['attributes'] }): JSX.Element {
  return (
    <details class="small">
      <summary>
        {of.length} {plural(of.length, 'attribute')}
      </summary>
      {of.map(({ key, value }) => (
        <span key={key} class="sub">
          {key}: {value}
        </span>
      ))}
    </details>
  );
}

function addressesOf({ shippingAddress, billingAddress }: Customer): string[] {
  const texts = [shippingAddress, billingAddress].flatMap((one) =>
    one ? [[one.line1, [one.postalCode, one.city].filter(Boolean).join(' '), one.countryCode].filter(Boolean).join(', ')] : [],
  );
  return [...new Set(texts)];
}

function moreOf({ tags, document }: Customer): string[] {
  return [
    ...(document ? [`${DOCUMENT_TYPE[document.type]} ${document.number ?? ''}`] : []),
    ...(tags.length > 0 ? [tags.join(', ')] : []),
  ];
}
