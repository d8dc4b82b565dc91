import { destination, type Logger, pino } from 'pino'
import type { Log, LogData } from '../core/ports/log.ts'
import type { LogLevel } from './config.ts'

/** The log of a process: the port, and what only its shell may say. */
export type ProcessLog = Log & {
  /** The last line: why the process ends by itself. */
  fatal(message: string, data?: LogData): void
  /** Writes out what is buffered; for the moment before the process ends. */
  flush(): void
}

/** One JSON object a line on stdout: level, time (ISO 8601), msg, and the data of the message. */
export function createLog(level: LogLevel): ProcessLog {
  const stream = destination({ dest: 1, sync: false })
  const logger = pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: plain },
    },
    stream,
  )
  const flush = (): void => {
    try {
      stream.flushSync()
    } catch {
      // Not opened yet, or whoever read it is gone: there is nobody to tell.
    }
  }
  return { ...wrap(logger), fatal: (message, data = {}) => logger.fatal(data, message), flush }
}

function wrap(logger: Logger): Log {
  return {
    debug: (message, data = {}) => logger.debug(data, message),
    info: (message, data = {}) => logger.info(data, message),
    warn: (message, data = {}) => logger.warn(data, message),
    error: (message, data = {}) => logger.error(data, message),
    child: (bindings) => wrap(logger.child(bindings)),
  }
}

// JSON has no bigint, and numbers beyond 2^53 would be rounded by whoever reads the log.
function plain(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, typeof value === 'bigint' ? value.toString() : value]))
}
