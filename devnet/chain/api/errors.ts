import { ApiError } from '@lodestar/api/server'
import { InvalidBlockError } from '../beacon/chain.ts'
import { InvalidOperationError } from '../beacon/errors.ts'
import { ForgottenStateError } from '../beacon/states.ts'

/** The answer to a list of operations of which some were refused (Beacon API, IndexedError). */
export class IndexedApiError extends ApiError {
  readonly failures: readonly { readonly index: number; readonly message: string }[]

  constructor(failures: readonly { readonly index: number; readonly message: string }[]) {
    super(
      400,
      `${failures.length} of the operations were refused: ${failures.map(({ index, message }) => `${index}: ${message}`).join('; ')}`,
    )
    this.failures = failures
  }
}

/** Runs every item; throws IndexedApiError with the reasons of those that failed, after the others went through. */
export function each<T>(items: readonly T[], run: (item: T) => void): void {
  const failures: { index: number; message: string }[] = []
  items.forEach((item, index) => {
    try {
      run(item)
    } catch (error) {
      failures.push({ index, message: error instanceof Error ? error.message : String(error) })
    }
  })
  if (failures.length > 0) throw new IndexedApiError(failures)
}

/** HTTP status of an error, by what went wrong. */
export function statusOf(error: unknown): number {
  if (error instanceof InvalidOperationError || error instanceof InvalidBlockError) return 400
  if (error instanceof ForgottenStateError) return 404
  const status = (error as { statusCode?: unknown }).statusCode
  return typeof status === 'number' ? status : 500
}
