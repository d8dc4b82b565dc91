export type LogData = Readonly<Record<string, unknown>>

/** Structured log. Secrets never reach it: no type of signer/ is loggable. */
export type Log = {
  debug(message: string, data?: LogData): void
  info(message: string, data?: LogData): void
  warn(message: string, data?: LogData): void
  error(message: string, data?: LogData): void
  child(bindings: LogData): Log
}
