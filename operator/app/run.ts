import { OpenPoolsError, reasonOf } from '../core/errors.ts'
import { openSigner } from '../signer/open.ts'
import type { OperatorConfig } from './config.ts'
import { startLifecycle } from './lifecycle.ts'
import { createLog } from './log.ts'
import { startOperator } from './wiring.ts'

/**
 * Runs the operator until a signal ends the process. Throws, after everything is put away, when it cannot start and waiting
 * would not help.
 * @param openKeys opens the secrets in the data folder, behind the signer's ports
 */
export async function run(config: OperatorConfig, openKeys: typeof openSigner = openSigner): Promise<void> {
  const log = createLog(config.logLevel)
  const lifecycle = startLifecycle(log)
  try {
    await startOperator({ config, log, lifecycle, openKeys })
  } catch (error) {
    // Interrupted by a signal, which ends the process in its own way.
    if (lifecycle.signal.aborted) return
    log.fatal('cannot start', { code: error instanceof OpenPoolsError ? error.code : undefined, reason: reasonOf(error) })
    await lifecycle.stop('cannot start')
    log.flush()
    throw error
  }
}
