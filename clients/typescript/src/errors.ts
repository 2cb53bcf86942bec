// What can go wrong: a refusal is data and says everything at once, a failure has one code.

/** A reason why a mutation changed nothing, as every payload has them in `userErrors`. */
export interface UserError {
  readonly code: string;
  readonly message: string;
  /** Path into the input: ["addresses", "0", "postalCode"]. */
  readonly field?: readonly string[] | null;
  readonly currentVersion?: number | null;
}

/** A mutation that was refused, with all its reasons. Nothing has changed. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(readonly userErrors: readonly UserError[]) {
    super(userErrors.map((error) => error.message).join(' '));
  }

  /** Whether one of the reasons has this code: "TAKEN", "CONFLICT". */
  has(code: string): boolean {
    return this.userErrors.some((error) => error.code === code);
  }
}

/** What nobody expects of a good call: `code` is one of UNAUTHENTICATED, FORBIDDEN, RATE_LIMITED, UNREACHABLE and so on. */
export class Failure extends Error {
  override readonly name = 'Failure';

  constructor(
    message: string,
    readonly code: string,
    /** What to tell whoever looks into the logs of the service. */
    readonly requestId?: string,
    /** Seconds after which trying again makes sense. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** Return *payload* when it was accepted. Throws `Refused` when it was not. */
export function accepted<Payload extends { readonly userErrors: readonly UserError[] }>(payload: Payload): Payload {
  if (payload.userErrors.length > 0) {
    throw new Refused(payload.userErrors);
  }
  return payload;
}

/** Return the messages by the field that they belong to, "addresses.0.postalCode"; under "" those about the whole input. */
export function byField(userErrors: readonly UserError[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { field, message } of userErrors) {
    (found[field?.join('.') ?? ''] ??= []).push(message);
  }
  return found;
}
