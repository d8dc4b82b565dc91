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

/** The message of anything thrown, for a log line or a reason. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
