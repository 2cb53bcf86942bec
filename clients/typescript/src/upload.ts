// Files go straight to the object store, never through the service: announce, send, say that it has been sent.

/** Where an answer says that a file goes. */
export interface UploadTarget {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly maxBytes: number;
}

/** The store did not take the file: the link is too old, or the file is not the one that was announced. */
export class UploadRefused extends Error {
  override readonly name = 'UploadRefused';

  constructor(readonly status: number) {
    super(`The object store did not take the file (${status}).`);
  }
}

// What browsers say themselves, and let no script say.
const BROWSERS_OWN = new Set(['content-length', 'host']);

/** Return what a file is announced with: name, type, size, and the checksum that what arrives is held to. */
export async function announced(file: File): Promise<{ name: string; contentType: string; size: number; sha256: string }> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { name: file.name, contentType: file.type, size: file.size, sha256 };
}

/** Send *file* to *target*, with exactly the headers that were signed. Throws `UploadRefused`. */
export async function send(target: UploadTarget, file: Blob, signal?: AbortSignal): Promise<void> {
  if (file.size > target.maxBytes) {
    throw new UploadRefused(413);
  }
  const answer = await fetch(target.url, {
    method: target.method,
    headers: target.headers.filter(({ name }) => !BROWSERS_OWN.has(name.toLowerCase())).map(({ name, value }): [string, string] => [name, value]),
    // The bytes alone: a blob with a type of its own would say another one than was signed.
    body: file.type ? file.slice(0, file.size, '') : file,
    ...(signal && { signal }),
  });
  if (!answer.ok) {
    throw new UploadRefused(answer.status);
  }
}
