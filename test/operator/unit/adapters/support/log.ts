import type { Log } from '../../../../../operator/core/ports/log.ts'

/** Keeps what was logged, for assertions. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = []
  const write = (message: string, data?: object): void => void lines.push(`${message} ${JSON.stringify(data ?? {})}`)
  const log = { lines, debug: write, info: write, warn: write, error: write, child: (): Log => log }
  return log
}
