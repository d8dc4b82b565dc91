/**
 * Base of every error this service raises on purpose: a stable `code` for programs, data for logs, and a message that
 * says what was expected and what came. Subclasses narrow `code` to their own union.
 */
export abstract class OpenPoolsError<Code extends string = string> extends Error {
  readonly code: Code
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: Code, message: string, data: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.data = data
  }
}

/** Why a request failed below HTTP: the reason of a failed fetch hides in its cause, and in several when a name has several addresses. */
export function fetchReasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
  const reason = reasonOf(cause instanceof AggregateError ? (cause.errors[0] ?? cause) : cause)
  // Fetch's own words for a port that its standard blocks, whatever listens there.
  return reason === 'bad port' ? 'HTTP is not spoken at this port (it is blocked by the Fetch standard): use another' : reason
}

/** The message of anything thrown, for a log line or a reason. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
