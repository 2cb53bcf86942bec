// Sending a file to where the API says, straight to the object store.

import { Problem } from '../api';
import type { CreateImportMutation } from '../operations';

export type Target = NonNullable<CreateImportMutation['createBulkImport']['upload']>;

// What browsers say themselves, and let no script say.
const BROWSERS_OWN = new Set(['content-length', 'host']);

export interface Sent {
  /** Resolves when the store has the whole file; rejects with a `Problem`, or with `Stopped`. */
  done: Promise<void>;
  stop: () => void;
}

/** Somebody has stopped it. */
export class Stopped extends Error {}

/** Send *file*, and tell *progress* its share from 0 to 1. XMLHttpRequest, because fetch does not say how far it is. */
export function upload(file: File, target: Target, progress: (share: number) => void): Sent {
  const request = new XMLHttpRequest();
  const done = new Promise<void>((resolve, reject) => {
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        resolve();
      } else {
        reject(new Problem(`The object store did not take the file (${request.status}). Try again.`));
      }
    };
    request.onerror = () => reject(new Problem('The upload broke off. Look at your connection, and try again.'));
    request.onabort = () => reject(new Stopped());
    request.open(target.method, target.url);
    for (const { name, value } of target.headers) {
      if (!BROWSERS_OWN.has(name.toLowerCase())) {
        request.setRequestHeader(name, value);
      }
    }
    request.send(file);
  });
  return { done, stop: () => request.abort() };
}
