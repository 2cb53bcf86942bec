export { Client, type ClientOptions } from './client.ts';
export { accepted, byField, Failure, Refused, type UserError } from './errors.ts';
export { everyItem, type Page } from './pages.ts';
export { Session, type SessionOptions, type Tokens } from './session.ts';
export { announced, send, UploadRefused, type UploadTarget } from './upload.ts';
