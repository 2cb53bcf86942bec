import type { ComponentChildren, JSX } from 'preact';

import { ago, day, person, when } from '../format';
import { OneCustomer, type OneCustomerQuery } from '../operations';
import { Badge, Empty, Facts, Link, Loading, Panel, ProblemNotice } from '../parts/basics';
import { Icon } from '../parts/icons';
import { Page } from '../parts/page';
import { useAsk } from '../use-ask';
import { ADDRESS_KIND, CUSTOMER_STATUS, DOCUMENT_STATUS, DOCUMENT_TYPE, EVENT_TYPE, STEP, type Word } from '../words';

type Customer = NonNullable<OneCustomerQuery['customer']>;

const BACK = { to: '/customers', text: 'Customers' };
const DEFAULT: Word = { text: 'Default', tone: 'plain' };

/** One customer with everything that belongs to it. */
export function CustomerPage({ id }: { id: string }): JSX.Element {
  const { data, problem, again } = useAsk(OneCustomer, { id });
  const customer = data?.customer;
  if (!customer) {
    return (
      <Page title="Customer" back={BACK}>
        {problem && <ProblemNotice problem={problem} again={again} />}
        {!problem && !data && <Loading what="the customer" />}
        {data && (
          <Empty icon="people" title="There is no such customer">
            <p class="muted">It may have been deleted, or merged into another one.</p>
          </Empty>
        )}
      </Page>
    );
  }
  return (
    <Page
      title={customer.fullName || customer.company || customer.email || customer.phone || customer.id}
      back={BACK}
      badges={<Badge word={CUSTOMER_STATUS[customer.status]} />}
      lead={customer.company !== customer.fullName && customer.company}
    >
      <div class="beside">
        <div class="stack">
          <Panel id="profile" title="Profile">
            <Profile customer={customer} />
          </Panel>
          <Panel id="addresses" title="Addresses">
            <Addresses customer={customer} />
          </Panel>
          <Panel id="documents" title="Documents">
            <Documents customer={customer} />
          </Panel>
        </div>
        <div class="stack side">
          <Panel id="onboarding" title="Onboarding">
            <Steps customer={customer} />
          </Panel>
          <Panel id="history" title="History">
            <History customer={customer} />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

function Profile({ customer }: { customer: Customer }): JSX.Element {
  const { email, emailVerified, phone, phoneVerified, attributes } = customer;
  return (
    <Facts
      of={[
        ['E-mail', email && <Contact text={email} verified={emailVerified} />],
        ['Phone', phone && <Contact text={phone} verified={phoneVerified} />],
        ['Your reference', customer.externalId],
        ['Kind', customer.kind === 'BUSINESS' ? 'Business' : 'Person'],
        ['Date of birth', customer.dateOfBirth && day(customer.dateOfBirth)],
        ['Language', customer.locale],
        ['Tags', customer.tags.join(', ')],
        ...attributes.map(({ key, value }): [string, ComponentChildren] => [key, value]),
        ['Customer since', when(customer.createdAt)],
        ['Id', <code>{customer.id}</code>],
      ]}
    />
  );
}

function Contact({ text, verified }: { text: string; verified: boolean }): JSX.Element {
  return (
    <>
      {text} {verified ? <span class="small good-text">verified</span> : <span class="small muted">not verified</span>}
    </>
  );
}

function Addresses({ customer }: { customer: Customer }): JSX.Element {
  return customer.addresses.length === 0 ? (
    <p class="muted">None yet.</p>
  ) : (
    <ul class="tiles">
      {customer.addresses.map((address) => (
        <li key={address.id}>
          <p class="row">
            <strong>{address.label ?? ADDRESS_KIND[address.kind]}</strong> {address.isDefault && <Badge word={DEFAULT} />}
          </p>
          <address>
            {address.formatted.map((line, at) => (
              <span key={at} class="line">
                {line}
              </span>
            ))}
            {address.phone && <span class="line muted">{address.phone}</span>}
          </address>
        </li>
      ))}
    </ul>
  );
}

function Documents({ customer }: { customer: Customer }): JSX.Element {
  return customer.documents.length === 0 ? (
    <p class="muted">None yet.</p>
  ) : (
    <ul class="tiles">
      {customer.documents.map((document) => (
        <li key={document.id}>
          <p class="row">
            <Link to={`/documents/${document.id}`} class="strong">
              {DOCUMENT_TYPE[document.type]}
            </Link>
            <Badge word={DOCUMENT_STATUS[document.status]} />
          </p>
          <p class="muted">
            {document.number && <span class="line">{document.number}</span>}
            {document.expiresOn && <span class="line">Valid until {day(document.expiresOn)}</span>}
          </p>
        </li>
      ))}
    </ul>
  );
}

function Steps({ customer }: { customer: Customer }): JSX.Element {
  const { complete, done, remaining } = customer.onboarding;
  return (
    <>
      <p>{complete ? 'Everything is there.' : `${done.length} of ${done.length + remaining.length} steps done.`}</p>
      <ul class="steps">
        {done.map((step) => (
          <li key={step} class="done">
            <Icon name="check" /> {STEP[step]} <span class="unseen">(done)</span>
          </li>
        ))}
        {remaining.map((step) => (
          <li key={step}>
            <span class="dot" aria-hidden="true" /> {STEP[step]} <span class="unseen">(not yet)</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function History({ customer }: { customer: Customer }): JSX.Element {
  return (
    <ol class="history">
      {customer.history.nodes.map((event) => (
        <li key={event.id}>
          <strong>{EVENT_TYPE[event.type]}</strong>
          {event.type === 'UPDATED' &&
            (event.changes.length > 0 ? (
              event.changes.map((change) => (
                <span class="sub" key={`${change.field} ${change.of ?? ''}`}>
                  {change.field}: {change.before ?? '–'} → {change.after ?? '–'}
                </span>
              ))
            ) : (
              <span class="sub">{event.changed.join(', ')}</span>
            ))}
          <span class="sub">
            <time dateTime={event.occurredAt} title={when(event.occurredAt)}>
              {ago(event.occurredAt)}
            </time>{' '}
            by {person(event.actor)}
          </span>
        </li>
      ))}
    </ol>
  );
}
