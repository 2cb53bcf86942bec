// Made by types.mjs from operations.graphql and schema/schema.graphql: change those, and `make console`.

/** The text of an operation, which knows what it answers and what it wants. */
export type Operation<Answer, Variables> = string & { readonly answer?: Answer; readonly variables?: Variables };

/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** What an address is for. */
export type AddressKind =
  /** Where goods go. */
  | 'SHIPPING'
  /** Where invoices go. */
  | 'BILLING';

/** Why a column of a file goes where it goes. */
export type BulkImportColumnUse =
  /** The caller said so in `columns`. */
  | 'CHOSEN'
  /** Its name is known. */
  | 'RECOGNIZED'
  /** Another column has its target; it is kept as an attribute. */
  | 'SHADOWED'
  /** Nobody knows its name; it is kept as an attribute. */
  | 'UNKNOWN'
  /** It is left out: a file may not decide about it, it is a secret, or an error report added it. */
  | 'IGNORED';

/** How the characters of a file are written as bytes. Only the first two can be recognised by themselves. */
export type BulkImportEncoding =
  /** UTF-8, with or without a byte order mark. Recognised. */
  | 'UTF_8'
  /** UTF-16, little or big endian. Recognised by its byte order mark; without one it has to be declared. */
  | 'UTF_16'
  /** ISO 8859-1. Has to be declared. */
  | 'LATIN_1'
  /** What spreadsheets on Windows call ANSI in Western Europe and America. Has to be declared. */
  | 'WINDOWS_1252';

/** A new import. */
export type BulkImportInput = {
  /** What the file is called. */
  fileName: string;
  /** The file's size in bytes, to be checked on arrival. */
  size?: number | null | undefined;
  /** What a row does to a customer that exists already. */
  mode?: BulkImportMode | null | undefined;
  /** With UPSERT: by what a row finds its customer. */
  matchBy?: BulkImportMatch | null | undefined;
  /** How much imperfection it takes. */
  validation?: BulkImportValidation | null | undefined;
  /** Check everything, write nothing. */
  dryRun?: boolean | null | undefined;
  /** Columns that are not recognised by their names, or meant differently. */
  columns?: Array<ColumnMapping> | null | undefined;
  /** What separates cells: comma, semicolon, tab or bar; recognised when absent. */
  delimiter?: string | null | undefined;
  /** How its characters are written; recognised when absent, if it is UTF-8 or UTF-16. */
  encoding?: BulkImportEncoding | null | undefined;
};

/** By what a row finds its customer. */
export type BulkImportMatch =
  /** By the seller's own reference. */
  | 'EXTERNAL_ID'
  /** By the e-mail address. */
  | 'EMAIL'
  /** By the phone number. */
  | 'PHONE';

/** What a row does to a customer that exists already. */
export type BulkImportMode =
  /** Each row makes a new customer; one that exists already is refused. */
  | 'CREATE'
  /** A row changes the customer it matches by `matchBy`, or makes a new one. */
  | 'UPSERT';

/** Another way to read the rows of an import, or other things to do with them. An absent field stays as it is; null means the default, as in `BulkImportInput`. */
export type BulkImportPatch = {
  /** What a row does to a customer that exists. */
  mode?: BulkImportMode | null | undefined;
  /** With UPSERT: by what a row finds its customer. */
  matchBy?: BulkImportMatch | null | undefined;
  /** How much imperfection it takes. */
  validation?: BulkImportValidation | null | undefined;
  /** Check everything, write nothing. */
  dryRun?: boolean | null | undefined;
  /** All columns that are not recognised by their names, or meant differently; replaces those given before. */
  columns?: Array<ColumnMapping> | null | undefined;
  /** What separates cells; null to have it recognised. */
  delimiter?: string | null | undefined;
  /** How its characters are written; null to have it recognised. */
  encoding?: BulkImportEncoding | null | undefined;
};

/** Where an import stands. */
export type BulkImportStatus =
  /** Created; the file has not been started. */
  | 'AWAITING_UPLOAD'
  /** Waits for a worker. */
  | 'QUEUED'
  /** Rows are being worked through. */
  | 'RUNNING'
  /** Every row was taken. */
  | 'COMPLETED'
  /** Every row was attempted, some were refused. */
  | 'COMPLETED_WITH_ERRORS'
  /** The file as a whole could not be worked through; see failure. */
  | 'FAILED'
  /** Stopped by somebody; rows already taken stay. */
  | 'CANCELED'
  /** The file was never uploaded. */
  | 'EXPIRED';

/** How much imperfection an import takes. */
export type BulkImportValidation =
  /** A row is refused for any problem. */
  | 'STRICT'
  /** A row is refused for problems of identity and structure; other problems become warnings. */
  | 'LENIENT';

/** Which column of the file goes where. */
export type ColumnMapping = {
  /** The column, as the file's header calls it. */
  from: string;
  /** Where it goes: `email`, `shipping_city`, `attribute.vip`; the guide lists all. */
  to: string;
};

/** What happened to a customer. */
export type CustomerEventType =
  /** The customer came into existence. */
  | 'CREATED'
  /** The customer, its addresses or its documents changed. */
  | 'UPDATED'
  /** The customer was deleted. */
  | 'DELETED'
  /** The customer's personal data was destroyed. */
  | 'ERASED'
  /** One of the customer's documents is about to expire: told 30 days before its last valid day, 7 days before, and on the day, unless the service is configured for others. Nothing changed. */
  | 'DOCUMENT_EXPIRING'
  /** Somebody was given the number of a document in full, or a link to its file; see reads. No change: only in `history`. */
  | 'DOCUMENT_READ';

/** Conditions on customers, all of which have to hold. */
export type CustomerFilter = {
  /** One of these ids, at most 100. */
  ids?: Array<string | number> | null | undefined;
  /** This e-mail address, in any spelling. */
  email?: string | null | undefined;
  /** This phone number, in any spelling. */
  phone?: string | null | undefined;
  /** This reference of the seller. */
  externalId?: string | null | undefined;
  /** A document with this number, in any spelling. */
  documentNumber?: string | null | undefined;
  /** One of these. */
  status?: Array<CustomerStatus> | null | undefined;
  /** Persons only, or organisations only. */
  kind?: CustomerKind | null | undefined;
  /** All of these tags, at most 250. */
  tags?: Array<string> | null | undefined;
  /** Created in this range. */
  createdAt?: DateTimeRange | null | undefined;
  /** Last changed in this range. */
  updatedAt?: DateTimeRange | null | undefined;
  /** Every word here begins a word of the names, the company, the e-mail address or the phone. */
  search?: string | null | undefined;
};

/** A person or an organisation. */
export type CustomerKind =
  /** A person. */
  | 'INDIVIDUAL'
  /** A company or another organisation. */
  | 'BUSINESS';

/** Where a customer stands with the seller. */
export type CustomerStatus =
  /** Known to the seller, not yet a full customer. */
  | 'PENDING'
  /** In good standing. */
  | 'ACTIVE'
  /** Kept, but barred by the seller. */
  | 'SUSPENDED';

/** From a moment, up to but not including another. */
export type DateTimeRange = {
  /** The first moment that counts. */
  from?: string | null | undefined;
  /** The first moment that no longer counts. */
  to?: string | null | undefined;
};

/** What a document proves. */
export type DocumentCategory =
  /** Who somebody is. */
  | 'IDENTITY'
  /** What a company is. */
  | 'BUSINESS'
  /** Where somebody lives or works. */
  | 'ADDRESS_PROOF';

/** Why a document was rejected, for programs. */
export type DocumentRejectionReason =
  /** The file cannot be read: blurred, too dark, too small, or broken. */
  | 'UNREADABLE'
  /** A part is missing: a page, the back, a corner that was cut off. */
  | 'INCOMPLETE'
  /** It is another kind of document than was filed. */
  | 'WRONG_TYPE'
  /** It is no longer valid, or too old for what it has to prove. */
  | 'EXPIRED'
  /** It is genuine, and the seller does not accept such documents. */
  | 'NOT_ACCEPTED'
  /** The name on it is not the customer's. */
  | 'NAME_MISMATCH'
  /** The number on it is not the one that was filed. */
  | 'NUMBER_MISMATCH'
  /** A date on it, of birth, issue or expiry, is not the one that was filed. */
  | 'DATE_MISMATCH'
  /** The address on it is not the customer's. */
  | 'ADDRESS_MISMATCH'
  /** It seems to be altered, forged, or somebody else's. */
  | 'SUSPECTED_FRAUD'
  /** The file carries malware. Only the scanner says so. */
  | 'MALWARE'
  /** None of the above; see rejectionReason. */
  | 'OTHER';

/** How far a document has come. */
export type DocumentStatus =
  /** Filed; its file has not been completed. */
  | 'AWAITING_UPLOAD'
  /** The file is here and waits for somebody to look at it. */
  | 'PENDING_REVIEW'
  /** Looked at and accepted. */
  | 'VERIFIED'
  /** Looked at and refused, or found to carry malware; see rejectionCode and rejectionReason. */
  | 'REJECTED'
  /** Past its expiry date. */
  | 'EXPIRED';

/** The documents a customer may file. */
export type DocumentType =
  /** A passport. */
  | 'PASSPORT'
  /** A national identity card or number. */
  | 'NATIONAL_ID'
  /** A licence to drive. */
  | 'DRIVERS_LICENSE'
  /** A tax registration, with its tax number. */
  | 'TAX_CERTIFICATE'
  /** A licence or registration of a business. */
  | 'BUSINESS_LICENSE'
  /** A bill for electricity, water, gas or telephone. */
  | 'UTILITY_BILL'
  /** A statement of a bank account. */
  | 'BANK_STATEMENT';

/** Why one field or one row was refused. */
export type ErrorCode =
  /** Something that is needed is missing. */
  | 'REQUIRED'
  /** The value is not acceptable; the message says why. */
  | 'INVALID'
  /** The value is longer than it may be. */
  | 'TOO_LONG'
  /** There are more of these than there may be. */
  | 'TOO_MANY'
  /** Another customer of the seller already has it. */
  | 'TAKEN'
  /** Nothing with this id is visible to you. */
  | 'NOT_FOUND'
  /** The customer was merged into another one; see mergedInto. */
  | 'MERGED'
  /** You may not do this. */
  | 'FORBIDDEN'
  /** Somebody else changed it first; see currentVersion. */
  | 'CONFLICT'
  /** This is no e-mail address. */
  | 'INVALID_EMAIL'
  /** This is no phone number of its country. */
  | 'INVALID_PHONE'
  /** The postal rules of the country refuse this. */
  | 'INVALID_ADDRESS'
  /** This is no number of this kind of document. */
  | 'INVALID_DOCUMENT_NUMBER'
  /** The document is past its expiry date. */
  | 'DOCUMENT_EXPIRED'
  /** The document's file has not been found free of malware, or not yet; see scan. */
  | 'DOCUMENT_NOT_SCANNED'
  /** The file was not uploaded. */
  | 'UPLOAD_MISSING'
  /** The file is not the one that was announced. */
  | 'UPLOAD_MISMATCH'
  /** Files of this type are not accepted, or the file is not of the type it claims. */
  | 'FILE_TYPE_REJECTED'
  /** Not possible in the present state. */
  | 'STATE'
  /** The one-time code is wrong. */
  | 'INVALID_CODE'
  /** The one-time code is too old. */
  | 'CODE_EXPIRED'
  /** Too many wrong codes, or too many codes asked for; the message says how long to wait. */
  | 'TOO_MANY_ATTEMPTS'
  /** The file, or this row of it, is not CSV as it should be. */
  | 'INVALID_CSV'
  /** The text is not UTF-8 (or UTF-16 with a byte order mark). */
  | 'UNSUPPORTED_ENCODING'
  /** A column that is needed is not in the file. */
  | 'MISSING_COLUMN'
  /** An earlier row of the same file has the same identifier. */
  | 'DUPLICATE_ROW'
  /** The file was replaced while it was being imported. */
  | 'SOURCE_CHANGED'
  /** The import ended before the row was attempted; only in reports. */
  | 'UNPROCESSED'
  /** The key was used before, for something else. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** The customer is on legal hold: nothing of it may be destroyed. */
  | 'LEGAL_HOLD'
  /** A fault of the service; it has been recorded. */
  | 'INTERNAL';

/** What a seller may ask of its customers, in the order in which it is asked. */
export type OnboardingStep =
  /** The customer has shown that its e-mail address or its phone number is its own. */
  | 'CONTACT_VERIFIED'
  /** There is an address. */
  | 'ADDRESS_ADDED'
  /** A document with its file waits for review or was accepted; rejected and expired ones do not count. */
  | 'DOCUMENT_SUBMITTED'
  /** A document was accepted and has not expired. */
  | 'DOCUMENT_VERIFIED';

/** Who calls. */
export type PrincipalKind =
  /** A customer, for itself. */
  | 'CUSTOMER'
  /** A person working for one seller. */
  | 'OPERATOR'
  /** A program, for any seller. */
  | 'SERVICE';

/** What the malware scanner says of a document's file. */
export type ScanVerdict =
  /** It has not been looked at yet, or the scanner is away. Nobody can read the file; ask again in a moment. */
  | 'PENDING'
  /** Nothing was found. The file can be read, and the document approved. */
  | 'CLEAN'
  /** Malware was found. The file was removed and the document rejected; another file may be sent. */
  | 'INFECTED'
  /** The scanner could not deal with the file, several times. Nobody can read it; another file may be sent. It is tried again now and then. */
  | 'FAILED'
  /** The service runs without a scanner. The file can be read by whoever takes that risk. */
  | 'NOT_SCANNED';

/** Whether a row was refused or taken with a remark. */
export type Severity =
  /** The row was refused. */
  | 'ERROR'
  /** The row was taken, with this remark. */
  | 'WARNING';

export type StateFragment = { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null };

export type RefusalFragment = { code: ErrorCode, message: string, field: Array<string> | null };

export type WhoAmIQueryVariables = Exact<{ [key: string]: never; }>;


export type WhoAmIQuery = { viewer: { kind: PrincipalKind, subject: string, sellerId: string | null, scopes: Array<string> } };

export type ImportsQueryVariables = Exact<{
  status?: BulkImportStatus | null | undefined;
  after?: string | null | undefined;
}>;


export type ImportsQuery = { bulkImports: { nodes: Array<{ id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type OneImportQueryVariables = Exact<{
  id: string | number;
}>;


export type OneImportQuery = { bulkImport: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } | null };

export type ImportProblemsQueryVariables = Exact<{
  id: string | number;
  after?: string | null | undefined;
}>;


export type ImportProblemsQuery = { bulkImport: { id: string, errors: { nodes: Array<{ row: number, column: string | null, severity: Severity, code: ErrorCode, message: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } } | null };

export type ImportReportsQueryVariables = Exact<{
  id: string | number;
}>;


export type ImportReportsQuery = { bulkImport: { id: string, errorReport: { url: string } | null, resultReport: { url: string } | null } | null };

export type PreviewQueryVariables = Exact<{
  id: string | number;
}>;


export type PreviewQuery = { previewBulkImport: { format: { encoding: BulkImportEncoding, byteOrderMark: boolean, delimiter: string, header: Array<string> } | null, columns: Array<{ name: string, target: string | null, use: BulkImportColumnUse }>, rows: Array<{ row: number, customer: { externalId: string | null, email: string | null, phone: string | null, fullName: string, company: string | null, tags: Array<string>, attributes: Array<{ key: string, value: string }>, shippingAddress: { line1: string, city: string | null, postalCode: string | null, countryCode: string } | null, billingAddress: { line1: string, city: string | null, postalCode: string | null, countryCode: string } | null, document: { type: DocumentType, number: string | null } | null } | null, problems: Array<{ column: string | null, severity: Severity, code: ErrorCode, message: string }> }>, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } | null };

export type CreateImportMutationVariables = Exact<{
  input: BulkImportInput;
}>;


export type CreateImportMutation = { createBulkImport: { bulkImport: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } | null, upload: { url: string, method: string, maxBytes: number, headers: Array<{ name: string, value: string }> } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type UpdateImportMutationVariables = Exact<{
  id: string | number;
  patch: BulkImportPatch;
}>;


export type UpdateImportMutation = { updateBulkImport: { bulkImport: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type StartImportMutationVariables = Exact<{
  id: string | number;
}>;


export type StartImportMutation = { startBulkImport: { bulkImport: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type CancelImportMutationVariables = Exact<{
  id: string | number;
}>;


export type CancelImportMutation = { cancelBulkImport: { bulkImport: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type RetryImportMutationVariables = Exact<{
  id: string | number;
}>;


export type RetryImportMutation = { retryBulkImport: { bulkImport: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export type FollowImportSubscriptionVariables = Exact<{
  id: string | number;
}>;


export type FollowImportSubscription = { bulkImportProgress: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } };

export type FollowImportsSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type FollowImportsSubscription = { bulkImportsProgress: { id: string, status: BulkImportStatus, mode: BulkImportMode, matchBy: BulkImportMatch, validation: BulkImportValidation, dryRun: boolean, fileName: string, fileSize: number | null, totalRows: number | null, processedRows: number, createdRows: number, updatedRows: number, unchangedRows: number, failedRows: number, warningRows: number, unprocessedRows: number | null, progress: number, rowsPerSecond: number | null, estimatedCompletionAt: string | null, requestedBy: string, createdAt: string, startedAt: string | null, finishedAt: string | null, failure: { code: ErrorCode, message: string } | null } };

export type LineFragment = { id: string, fullName: string, company: string | null, email: string | null, phone: string | null, externalId: string | null, status: CustomerStatus, createdAt: string };

export type CustomersQueryVariables = Exact<{
  filter?: CustomerFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type CustomersQuery = { customers: { totalCount: number, nodes: Array<{ id: string, fullName: string, company: string | null, email: string | null, phone: string | null, externalId: string | null, status: CustomerStatus, createdAt: string }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CustomerByReferenceQueryVariables = Exact<{
  externalId: string;
}>;


export type CustomerByReferenceQuery = { customerBy: { id: string, fullName: string, company: string | null, email: string | null, phone: string | null, externalId: string | null, status: CustomerStatus, createdAt: string } | null };

export type OneCustomerQueryVariables = Exact<{
  id: string | number;
}>;


export type OneCustomerQuery = { customer: { kind: CustomerKind, emailVerified: boolean, phoneVerified: boolean, dateOfBirth: string | null, locale: string | null, tags: Array<string>, updatedAt: string, id: string, fullName: string, company: string | null, email: string | null, phone: string | null, externalId: string | null, status: CustomerStatus, createdAt: string, attributes: Array<{ key: string, value: string }>, addresses: Array<{ id: string, kind: AddressKind, isDefault: boolean, label: string | null, formatted: Array<string>, phone: string | null }>, documents: Array<{ id: string, type: DocumentType, status: DocumentStatus, number: string | null, expiresOn: string | null, createdAt: string }>, onboarding: { complete: boolean, done: Array<OnboardingStep>, remaining: Array<OnboardingStep> }, history: { nodes: Array<{ id: string, type: CustomerEventType, actor: string, changed: Array<string>, occurredAt: string, changes: Array<{ field: string, of: string | null, before: string | null, after: string | null }> }> } } | null };

export type DocumentsQueryVariables = Exact<{
  status?: DocumentStatus | null | undefined;
  after?: string | null | undefined;
}>;


export type DocumentsQuery = { documents: { nodes: Array<{ id: string, type: DocumentType, status: DocumentStatus, number: string | null, issuingCountry: string | null, expiresOn: string | null, updatedAt: string, customer: { id: string, fullName: string, email: string | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type PaperFragment = { id: string, version: number, type: DocumentType, category: DocumentCategory, status: DocumentStatus, number: string | null, issuingCountry: string | null, issuedOn: string | null, expiresOn: string | null, rejectionCode: DocumentRejectionReason | null, rejectionReason: string | null, createdAt: string, updatedAt: string, customer: { id: string, fullName: string, email: string | null, dateOfBirth: string | null, addresses: Array<{ id: string, kind: AddressKind, formatted: Array<string> }> }, file: { name: string, contentType: string, size: number, sha256: string, download: { url: string } | null } | null, scan: { verdict: ScanVerdict } | null };

export type OneDocumentQueryVariables = Exact<{
  id: string | number;
}>;


export type OneDocumentQuery = { document: { id: string, version: number, type: DocumentType, category: DocumentCategory, status: DocumentStatus, number: string | null, issuingCountry: string | null, issuedOn: string | null, expiresOn: string | null, rejectionCode: DocumentRejectionReason | null, rejectionReason: string | null, createdAt: string, updatedAt: string, customer: { id: string, fullName: string, email: string | null, dateOfBirth: string | null, addresses: Array<{ id: string, kind: AddressKind, formatted: Array<string> }> }, file: { name: string, contentType: string, size: number, sha256: string, download: { url: string } | null } | null, scan: { verdict: ScanVerdict } | null } | null };

export type ReviewDocumentMutationVariables = Exact<{
  id: string | number;
  approve: boolean;
  reasonCode?: DocumentRejectionReason | null | undefined;
  reason?: string | null | undefined;
  expectedVersion?: number | null | undefined;
}>;


export type ReviewDocumentMutation = { reviewDocument: { document: { id: string, version: number, type: DocumentType, category: DocumentCategory, status: DocumentStatus, number: string | null, issuingCountry: string | null, issuedOn: string | null, expiresOn: string | null, rejectionCode: DocumentRejectionReason | null, rejectionReason: string | null, createdAt: string, updatedAt: string, customer: { id: string, fullName: string, email: string | null, dateOfBirth: string | null, addresses: Array<{ id: string, kind: AddressKind, formatted: Array<string> }> }, file: { name: string, contentType: string, size: number, sha256: string, download: { url: string } | null } | null, scan: { verdict: ScanVerdict } | null } | null, userErrors: Array<{ code: ErrorCode, message: string, field: Array<string> | null }> } };

export const WhoAmI: Operation<WhoAmIQuery, WhoAmIQueryVariables> =
  "query WhoAmI{viewer{kind subject sellerId scopes}}";

export const Imports: Operation<ImportsQuery, ImportsQueryVariables> =
  "query Imports($status:BulkImportStatus$after:String){bulkImports(status:$status first:20 after:$after){nodes{...State}pageInfo{hasNextPage endCursor}}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}";

export const OneImport: Operation<OneImportQuery, OneImportQueryVariables> =
  "query OneImport($id:ID!){bulkImport(id:$id){...State}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}";

export const ImportProblems: Operation<ImportProblemsQuery, ImportProblemsQueryVariables> =
  "query ImportProblems($id:ID!$after:String){bulkImport(id:$id){id errors(first:50 after:$after){nodes{row column severity code message}pageInfo{hasNextPage endCursor}}}}";

export const ImportReports: Operation<ImportReportsQuery, ImportReportsQueryVariables> =
  "query ImportReports($id:ID!){bulkImport(id:$id){id errorReport{url}resultReport{url}}}";

export const Preview: Operation<PreviewQuery, PreviewQueryVariables> =
  "query Preview($id:ID!){previewBulkImport(id:$id){format{encoding byteOrderMark delimiter header}columns{name target use}rows{row customer{externalId email phone fullName company tags attributes{key value}shippingAddress{line1 city postalCode countryCode}billingAddress{line1 city postalCode countryCode}document{type number}}problems{column severity code message}}userErrors{...Refusal}}}fragment Refusal on UserError{code message field}";

export const CreateImport: Operation<CreateImportMutation, CreateImportMutationVariables> =
  "mutation CreateImport($input:BulkImportInput!){createBulkImport(input:$input){bulkImport{...State}upload{url method headers{name value}maxBytes}userErrors{...Refusal}}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}fragment Refusal on UserError{code message field}";

export const UpdateImport: Operation<UpdateImportMutation, UpdateImportMutationVariables> =
  "mutation UpdateImport($id:ID!$patch:BulkImportPatch!){updateBulkImport(id:$id patch:$patch){bulkImport{...State}userErrors{...Refusal}}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}fragment Refusal on UserError{code message field}";

export const StartImport: Operation<StartImportMutation, StartImportMutationVariables> =
  "mutation StartImport($id:ID!){startBulkImport(id:$id){bulkImport{...State}userErrors{...Refusal}}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}fragment Refusal on UserError{code message field}";

export const CancelImport: Operation<CancelImportMutation, CancelImportMutationVariables> =
  "mutation CancelImport($id:ID!){cancelBulkImport(id:$id){bulkImport{...State}userErrors{...Refusal}}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}fragment Refusal on UserError{code message field}";

export const RetryImport: Operation<RetryImportMutation, RetryImportMutationVariables> =
  "mutation RetryImport($id:ID!){retryBulkImport(id:$id){bulkImport{...State}userErrors{...Refusal}}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}fragment Refusal on UserError{code message field}";

export const FollowImport: Operation<FollowImportSubscription, FollowImportSubscriptionVariables> =
  "subscription FollowImport($id:ID!){bulkImportProgress(id:$id){...State}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}";

export const FollowImports: Operation<FollowImportsSubscription, FollowImportsSubscriptionVariables> =
  "subscription FollowImports{bulkImportsProgress{...State}}fragment State on BulkImport{id status mode matchBy validation dryRun fileName fileSize totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows progress rowsPerSecond estimatedCompletionAt requestedBy createdAt startedAt finishedAt failure{code message}}";

export const Customers: Operation<CustomersQuery, CustomersQueryVariables> =
  "query Customers($filter:CustomerFilter$after:String){customers(filter:$filter first:25 after:$after){nodes{...Line}totalCount pageInfo{hasNextPage endCursor}}}fragment Line on Customer{id fullName company email phone externalId status createdAt}";

export const CustomerByReference: Operation<CustomerByReferenceQuery, CustomerByReferenceQueryVariables> =
  "query CustomerByReference($externalId:String!){customerBy(key:{externalId:$externalId}){...Line}}fragment Line on Customer{id fullName company email phone externalId status createdAt}";

export const OneCustomer: Operation<OneCustomerQuery, OneCustomerQueryVariables> =
  "query OneCustomer($id:ID!){customer(id:$id){...Line kind emailVerified phoneVerified dateOfBirth locale tags attributes{key value}updatedAt addresses{id kind isDefault label formatted phone}documents{id type status number expiresOn createdAt}onboarding{complete done remaining}history(first:20){nodes{id type actor changed occurredAt changes{field of before after}}}}}fragment Line on Customer{id fullName company email phone externalId status createdAt}";

export const Documents: Operation<DocumentsQuery, DocumentsQueryVariables> =
  "query Documents($status:DocumentStatus$after:String){documents(filter:{status:$status}first:25 after:$after){nodes{id type status number issuingCountry expiresOn updatedAt customer{id fullName email}}pageInfo{hasNextPage endCursor}}}";

export const OneDocument: Operation<OneDocumentQuery, OneDocumentQueryVariables> =
  "query OneDocument($id:ID!){document(id:$id){...Paper}}fragment Paper on Document{id version type category status number issuingCountry issuedOn expiresOn rejectionCode rejectionReason createdAt updatedAt customer{id fullName email dateOfBirth addresses{id kind formatted}}file{name contentType size sha256 download{url}}scan{verdict}}";

export const ReviewDocument: Operation<ReviewDocumentMutation, ReviewDocumentMutationVariables> =
  "mutation ReviewDocument($id:ID!$approve:Boolean!$reasonCode:DocumentRejectionReason$reason:String$expectedVersion:Int){reviewDocument(id:$id approve:$approve reasonCode:$reasonCode reason:$reason expectedVersion:$expectedVersion){document{...Paper}userErrors{...Refusal}}}fragment Paper on Document{id version type category status number issuingCountry issuedOn expiresOn rejectionCode rejectionReason createdAt updatedAt customer{id fullName email dateOfBirth addresses{id kind formatted}}file{name contentType size sha256 download{url}}scan{verdict}}fragment Refusal on UserError{code message field}";
