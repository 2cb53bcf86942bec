// What the words of the API are called on the screen.

import type {
  AddressKind,
  BulkImportColumnUse,
  BulkImportEncoding,
  BulkImportStatus,
  CustomerEventType,
  CustomerStatus,
  DocumentRejectionReason,
  DocumentStatus,
  DocumentType,
  OnboardingStep,
  ScanVerdict,
} from './operations';

export type Tone = 'plain' | 'good' | 'busy' | 'warn' | 'bad';

export interface Word {
  text: string;
  tone: Tone;
}

export const IMPORT_STATUS: Record<BulkImportStatus, Word> = {
  AWAITING_UPLOAD: { text: 'Not started', tone: 'plain' },
  QUEUED: { text: 'Waiting', tone: 'busy' },
  RUNNING: { text: 'Running', tone: 'busy' },
  COMPLETED: { text: 'Done', tone: 'good' },
  COMPLETED_WITH_ERRORS: { text: 'Done, some refused', tone: 'warn' },
  FAILED: { text: 'Failed', tone: 'bad' },
  CANCELED: { text: 'Cancelled', tone: 'plain' },
  EXPIRED: { text: 'Expired', tone: 'plain' },
};

const UNFINISHED: ReadonlySet<BulkImportStatus> = new Set(['QUEUED', 'RUNNING']);

/** Whether workers have it, or are about to. */
export const isUnderWay = (status: BulkImportStatus): boolean => UNFINISHED.has(status);

export const CUSTOMER_STATUS: Record<CustomerStatus, Word> = {
  PENDING: { text: 'Pending', tone: 'plain' },
  ACTIVE: { text: 'Active', tone: 'good' },
  SUSPENDED: { text: 'Suspended', tone: 'bad' },
};

export const DOCUMENT_STATUS: Record<DocumentStatus, Word> = {
  AWAITING_UPLOAD: { text: 'No file yet', tone: 'plain' },
  PENDING_REVIEW: { text: 'To be reviewed', tone: 'busy' },
  VERIFIED: { text: 'Approved', tone: 'good' },
  REJECTED: { text: 'Rejected', tone: 'bad' },
  EXPIRED: { text: 'Expired', tone: 'warn' },
};

export const DOCUMENT_TYPE: Record<DocumentType, string> = {
  PASSPORT: 'Passport',
  NATIONAL_ID: 'Identity card',
  DRIVERS_LICENSE: 'Driving licence',
  TAX_CERTIFICATE: 'Tax certificate',
  BUSINESS_LICENSE: 'Business licence',
  UTILITY_BILL: 'Utility bill',
  BANK_STATEMENT: 'Bank statement',
};

export const ADDRESS_KIND: Record<AddressKind, string> = { SHIPPING: 'Shipping', BILLING: 'Billing' };

export const EVENT_TYPE: Record<CustomerEventType, string> = {
  CREATED: 'Created',
  UPDATED: 'Changed',
  DELETED: 'Deleted',
  ERASED: 'Erased',
  DOCUMENT_READ: 'Document read',
  DOCUMENT_EXPIRING: 'A document is about to expire',
};

/** Why a document is rejected, as reviewers choose it. MALWARE is the scanner's alone. */
export const REJECTION: Record<DocumentRejectionReason, string> = {
  UNREADABLE: 'It cannot be read',
  INCOMPLETE: 'A part is missing',
  WRONG_TYPE: 'Another kind of document',
  EXPIRED: 'No longer valid',
  NOT_ACCEPTED: 'We do not accept such documents',
  NAME_MISMATCH: 'Another name',
  NUMBER_MISMATCH: 'Another number',
  DATE_MISMATCH: 'Another date',
  ADDRESS_MISMATCH: 'Another address',
  SUSPECTED_FRAUD: 'Suspected fraud',
  MALWARE: 'It carries malware',
  OTHER: 'Something else',
};

/** What stands in the place of a file that nobody may read. */
export const WITHHELD: Record<Exclude<ScanVerdict, 'CLEAN' | 'NOT_SCANNED'>, string> = {
  PENDING: 'It is being checked for malware. That takes seconds.',
  INFECTED: 'It carried malware and was removed.',
  FAILED: 'It could not be checked for malware. Reject the document, so that another file is sent.',
};

export const STEP: Record<OnboardingStep, string> = {
  CONTACT_VERIFIED: 'Contact verified',
  ADDRESS_ADDED: 'Address there',
  DOCUMENT_SUBMITTED: 'Document sent',
  DOCUMENT_VERIFIED: 'Document approved',
};

export const COLUMN_USE: Record<BulkImportColumnUse, Word> = {
  CHOSEN: { text: 'Chosen', tone: 'good' },
  RECOGNIZED: { text: 'Recognised', tone: 'good' },
  SHADOWED: { text: 'Place taken', tone: 'warn' },
  UNKNOWN: { text: 'Not known', tone: 'plain' },
  IGNORED: { text: 'Left out', tone: 'plain' },
};

export const ENCODING: Record<BulkImportEncoding, string> = {
  UTF_8: 'UTF-8',
  UTF_16: 'UTF-16',
  LATIN_1: 'Latin-1',
  WINDOWS_1252: 'Windows-1252',
};

export const DELIMITER: Record<string, string> = { ',': 'Comma', ';': 'Semicolon', '\t': 'Tab', '|': 'Bar' };

/** "company" for one, "companies" for more. */
export const plural = (count: number, one: string, more = `${one}s`): string => (count === 1 ? one : more);
