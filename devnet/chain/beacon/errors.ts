/** An operation (attestation, exit, …) was refused; the message says what was expected and what came. */
export class InvalidOperationError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'InvalidOperationError'
  }
}
