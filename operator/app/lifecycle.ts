import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../core/errors.ts'
import type { ProcessLog } from './log.ts'

/** Everything has to be put away within this time of a signal; what is not is cut off, which costs nothing that is durable. */
const STOP_MS = 1_500

export type Lifecycle = {
  /** Aborts when the process is to end. */
  readonly signal: AbortSignal
  /** Puts something away at the end, last opened first. */
  onStop(name: string, close: () => unknown): void
  /** Ends the process because of a fault, with status 1. */
  fail(error: unknown): void
  /** Puts everything away; resolves when that is done or took too long. */
  stop(reason: string): Promise<void>
}

/**
 * The life of the process: SIGTERM and SIGINT end it cleanly with status 0 (a second one at once), an error that nobody handled
 * ends it with status 1, since nobody knows what state it left behind.
 */
export function startLifecycle(log: ProcessLog): Lifecycle {
  const controller = new AbortController()
  // Every duty and request under way listens to it.
  setMaxListeners(0, controller.signal)
  const closers: { readonly name: string; readonly close: () => unknown }[] = []
  let stopping: Promise<void> | undefined

  const closeAll = async (): Promise<void> => {
    for (const { name, close } of closers.reverse()) {
      try {
        await close()
      } catch (error) {
        log.warn('closing failed', { name, reason: reasonOf(error) })
      }
    }
  }
  const stop = (reason: string): Promise<void> => {
    stopping ??= (async () => {
      log.info('stopping', { reason })
      controller.abort(new Error(`the operator is stopping: ${reason}`))
      await Promise.race([closeAll(), sleep(STOP_MS, undefined, { ref: false })])
    })()
    return stopping
  }
  const exit = (status: number): void => {
    log.flush()
    process.exit(status)
  }
  const fail = (error: unknown): void => {
    // What is interrupted by stopping may fail in any way; it is no fault of its own.
    if (controller.signal.aborted) {
      log.debug('interrupted', { reason: reasonOf(error) })
      return
    }
    log.fatal('ending because of a fault', { reason: reasonOf(error), stack: error instanceof Error ? error.stack : undefined })
    void stop('fault').finally(() => exit(1))
  }
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) exit(1)
    void stop(name).finally(() => exit(0))
  }

  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  return { signal: controller.signal, onStop: (name, close) => void closers.push({ name, close }), fail, stop }
}
