// Where a column of a file can go, in the words of the API (docs/importing.md) and of people.

export const ATTRIBUTE = 'attribute.';

const ADDRESS: [string, string][] = [
  ['recipient', 'Recipient'],
  ['first_name', 'First name of the recipient'],
  ['last_name', 'Last name of the recipient'],
  ['company', 'Company'],
  ['line1', 'Street and number'],
  ['line2', 'Second line'],
  ['city', 'City'],
  ['region', 'State or region'],
  ['postal_code', 'Postal code'],
  ['country', 'Country'],
  ['phone', 'Phone'],
];

const address = (kind: string): [string, string][] => ADDRESS.map(([field, text]) => [`${kind}_${field}`, text]);

export const TARGETS: { group: string; targets: [string, string][] }[] = [
  {
    group: 'Customer',
    targets: [
      ['external_id', 'Your reference'],
      ['email', 'E-mail address'],
      ['phone', 'Phone'],
      ['first_name', 'First name'],
      ['last_name', 'Last name'],
      ['full_name', 'Whole name'],
      ['company', 'Company'],
      ['kind', 'Person or business'],
      ['status', 'Status'],
      ['date_of_birth', 'Date of birth'],
      ['locale', 'Language'],
      ['tags', 'Tags'],
    ],
  },
  { group: 'Shipping address', targets: address('shipping') },
  { group: 'Billing address', targets: address('billing') },
  {
    group: 'Document',
    targets: [
      ['document_type', 'Type of document'],
      ['document_number', 'Number'],
      ['document_country', 'Issuing country'],
      ['document_expires_on', 'Valid until'],
    ],
  },
];

const NAMES = new Map(
  TARGETS.flatMap(({ group, targets }) =>
    targets.map(([target, text]) => [target, group === 'Customer' ? text : `${group}: ${text.toLowerCase()}`] as const),
  ),
);

/** What *target* is called on the screen. */
export function targetName(target: string): string {
  return target.startsWith(ATTRIBUTE) ? `Attribute “${target.slice(ATTRIBUTE.length)}”` : (NAMES.get(target) ?? target);
}
