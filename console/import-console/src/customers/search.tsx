import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';

import { ago, count, when } from '../format';
import { CustomerByReference, Customers, type CustomersQuery, type LineFragment } from '../operations';
import { Badge, Empty, Link, Loading, More, ProblemNotice } from '../parts/basics';
import { Icon } from '../parts/icons';
import { Page } from '../parts/page';
import { Cell, Row, Table } from '../parts/table';
import { go, usePlace } from '../router';
import { useAsk } from '../use-ask';
import { usePages } from '../use-pages';
import { CUSTOMER_STATUS, plural } from '../words';

const TYPING_MS = 250;
const pageOf = (data: CustomersQuery) => data.customers;

/** Customers, found by words of their names, contacts and company, or by the seller's own reference. */
export function CustomerSearch(): JSX.Element {
  const text = usePlace().query.get('q') ?? '';
  return (
    <Page title="Customers">
      <SearchField text={text} />
      <Results key={text} text={text} />
    </Page>
  );
}

/** What is typed goes into the address when the typing stops: it can be sent to somebody, and "back" leads to it. */
function SearchField({ text }: { text: string }): JSX.Element {
  const [typed, setTyped] = useState(text);
  const id = useId();
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === text) {
      return undefined;
    }
    const timer = setTimeout(() => go(wanted ? `/customers?${new URLSearchParams({ q: wanted })}` : '/customers', { replace: true }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, text]);
  return (
    <form role="search" class="search" onSubmit={(event) => event.preventDefault()}>
      <label for={id} class="unseen">
        Search customers
      </label>
      <Icon name="search" />
      <input
        id={id}
        type="search"
        value={typed}
        placeholder="Name, e-mail, phone, reference"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </form>
  );
}

function Results({ text }: { text: string }): JSX.Element {
  const { items, first, problem, loading, hasMore, more, again } = usePages(Customers, { filter: text ? { search: text } : null }, pageOf);
  const exact = useReference(text);
  if (problem) {
    return <ProblemNotice problem={problem} again={again} />;
  }
  if (items === null) {
    return <Loading what="customers" />;
  }
  const found = exact ? [exact, ...items.filter((one) => one.id !== exact.id)] : items;
  const total = Math.max(first?.customers.totalCount ?? 0, found.length);
  if (found.length === 0) {
    return text ? (
      <Empty icon="search" title="Nobody fits">
        <p class="muted">Every word has to begin a word of the name, the company, the e-mail address or the phone.</p>
      </Empty>
    ) : (
      <Empty icon="people" title="No customers yet">
        <p>
          <Link to="/imports/new" class="button main">
            Import some
          </Link>
        </p>
      </Empty>
    );
  }
  return (
    <>
      <p class="muted" role="status">
        {count(total)} {plural(total, 'customer')}
      </p>
      <div class="panel flush">
        <Table caption="Customers" columns={['Name', 'Contact', 'Reference', 'Status', 'Since']}>
          {found.map((customer) => (
            <CustomerRow key={customer.id} customer={customer} />
          ))}
        </Table>
      </div>
      <More shown={hasMore} loading={loading} onMore={more} />
    </>
  );
}

/** The customer whose reference is exactly *text*: the search by words does not look there. */
function useReference(text: string): LineFragment | null {
  const { data } = useAsk(CustomerByReference, text ? { externalId: text } : null);
  return data?.customerBy ?? null;
}

function CustomerRow({ customer }: { customer: LineFragment }): JSX.Element {
  const { id, fullName, company, email, phone, externalId, status, createdAt } = customer;
  return (
    <Row>
      <Cell label="Name" wide>
        <Link to={`/customers/${id}`} class="strong">
          {fullName || company || email || phone || externalId || id}
        </Link>
        {company && company !== fullName && <span class="sub">{company}</span>}
      </Cell>
      <Cell label="Contact">
        {email && <span class="line">{email}</span>}
        {phone && <span class="line">{phone}</span>}
      </Cell>
      <Cell label="Reference">{externalId ?? '–'}</Cell>
      <Cell label="Status">
        <Badge word={CUSTOMER_STATUS[status]} />
      </Cell>
      <Cell label="Since">
        <time dateTime={createdAt} title={when(createdAt)}>
          {ago(createdAt)}
        </time>
      </Cell>
    </Row>
  );
}
