export type Log = {
  readonly error: (message: string, data?: Readonly<Record<string, unknown>>) => void
  readonly info: (message: string, data?: Readonly<Record<string, unknown>>) => void
  readonly verbose: (message: string, data?: Readonly<Record<string, unknown>>) => void
}

/** Lines of JSON on stderr; stdout belongs to the ready line. */
export function createLog(options: { readonly verbose: boolean }): Log {
  const write =
    (level: string) =>
    (message: string, data: Readonly<Record<string, unknown>> = {}) => {
      process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...data })}\n`)
    }
  return { error: write('error'), info: write('info'), verbose: options.verbose ? write('debug') : () => {} }
}
