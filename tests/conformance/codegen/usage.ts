// A program as a front end writes it, against the generated types. It is compiled, not run.
import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
import {
  CreateCustomerDocument,
  CustomerListDocument,
  CustomerPageDocument,
  ImportProgressDocument,
} from './generated/graphql';
import type { CustomerStatus } from './generated/graphql';

const filter: VariablesOf<typeof CustomerListDocument> = {
  filter: { status: ['ACTIVE'], createdAt: { from: '2026-01-01T00:00:00.000Z' } },
  sort: 'NAME_ASC',
  first: 10,
};

const wanted: VariablesOf<typeof CreateCustomerDocument> = {
  input: {
    email: 'ada@example.com',
    addresses: [{ kind: 'SHIPPING', line1: 'Torstraße 1', city: 'Berlin', postalCode: '10119', countryCode: 'DE' }],
  },
};

// @ts-expect-error: an address without a country is refused by the compiler already
wanted.input.addresses = [{ kind: 'SHIPPING', line1: 'Torstraße 1' }];

export function names(page: ResultOf<typeof CustomerListDocument>): string[] {
  return page.customers.edges.map(({ node }) => `${node.fullName} <${node.email ?? 'no e-mail'}>`);
}

export function remaining(page: ResultOf<typeof CustomerPageDocument>): string {
  const customer = page.customer;
  // @ts-expect-error: nobody may be visible under this id
  void customer.fullName;
  return customer === null || customer === undefined ? 'nobody' : customer.onboarding.remaining.join(', ');
}

export function percent({ bulkImportProgress: state }: ResultOf<typeof ImportProgressDocument>): number {
  return state.totalRows ? Math.round(state.progress * 100) : 0;
}

export const active: CustomerStatus = filter.filter?.status ? 'ACTIVE' : 'PENDING';
