import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonRpcProvider, TransactionReceipt } from 'ethers'
import { OpenPoolsError } from '../../core/errors.ts'

export class ReceiptError extends OpenPoolsError<'NOT_INCLUDED' | 'REVERTED'> {}

const POLL_MS = 250
/** Longer than a few blocks of any chain we know. */
const PATIENCE_MS = 180_000

/**
 * Waits until a transaction is included. Asks by itself rather than subscribing, so that the provider can be destroyed
 * afterwards without leaving requests behind. Throws `ReceiptError`.
 */
export async function waitForReceipt(provider: JsonRpcProvider, hash: string): Promise<TransactionReceipt> {
  const deadline = Date.now() + PATIENCE_MS
  while (Date.now() < deadline) {
    const receipt = await provider.getTransactionReceipt(hash)
    if (receipt?.status === 0) throw new ReceiptError('REVERTED', `transaction ${hash} was included, but reverted`, { hash })
    if (receipt !== null) return receipt
    await sleep(POLL_MS)
  }
  throw new ReceiptError('NOT_INCLUDED', `transaction ${hash} was not included within ${PATIENCE_MS / 1000} s; it may still be`, { hash })
}
