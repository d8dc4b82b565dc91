import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CeremonySecrets } from '../core/ports/ceremony.ts'

async function breathe<T>(step: Promise<T>): Promise<T> {
  const result = await step
  await nextTurn()
  return result
}

/**
 * The event loop has a turn after each step: several of them, each calculating and waiting for the disk, often come in a row, and
 * duties must not wait for the last.
 */
export function breathing(secrets: CeremonySecrets): CeremonySecrets {
  return {
    begin: (context) => breathe(secrets.begin(context)),
    possession: (context) => secrets.possession(context),
    deal: (context, joinKeys) => breathe(secrets.deal(context, joinKeys)),
    open: (context, dealing) => breathe(secrets.open(context, dealing)),
    complain: (context, dealing, possession) => breathe(secrets.complain(context, dealing, possession)),
    check: (context, dealings) => breathe(secrets.check(context, dealings)),
    reveal: (context, qualified) => breathe(secrets.reveal(context, qualified)),
    sign: (context, signingRoot) => breathe(secrets.sign(context, signingRoot)),
    commit: (context, result) => breathe(secrets.commit(context, result)),
    isCommitted: (context) => secrets.isCommitted(context),
    erase: (context) => breathe(secrets.erase(context)),
  }
}
