import { ChainError } from '../../core/ports/chain.ts'
import type { BlockRef } from './blocks.ts'
import type { ChainRpc } from './rpc.ts'

/** EIP-1559 fees, wei per gas. */
export type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

const GWEI = 10n ** 9n
const DEFAULT_TIP = GWEI
const MAX_TIP = 50n * GWEI
/** No bump tips more: whoever keeps a transaction out, or says so, must not be able to make it dear without end. */
const MAX_BUMPED_TIP = 4n * MAX_TIP
// Clients replace a waiting transaction only for at least a tenth more.
const BUMP_PERCENT = 125n

/** Fees for the next block: twice the base fee of now, so that six full blocks in a row do not strand the transaction. */
export async function suggestFees(rpc: ChainRpc, head: BlockRef, signal?: AbortSignal): Promise<Fees> {
  const tip = await suggestedTip(rpc, signal)
  return { maxFeePerGas: head.baseFeePerGas * 2n + tip, maxPriorityFeePerGas: tip }
}

/** More than before by what a replacement needs, and no less than what is usual now. Undefined when the tip would be too much. */
export function bumpFees(before: Fees, suggested: Fees): Fees | undefined {
  const bumped = (fee: bigint): bigint => (fee * BUMP_PERCENT) / 100n + 1n
  const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
  const maxPriorityFeePerGas = larger(bumped(before.maxPriorityFeePerGas), suggested.maxPriorityFeePerGas)
  if (maxPriorityFeePerGas > MAX_BUMPED_TIP) return undefined
  return { maxFeePerGas: larger(bumped(before.maxFeePerGas), suggested.maxFeePerGas), maxPriorityFeePerGas }
}

async function suggestedTip(rpc: ChainRpc, signal?: AbortSignal): Promise<bigint> {
  try {
    const tip = BigInt(String(await rpc.request('eth_maxPriorityFeePerGas', [], signal)))
    return tip < 1n ? 1n : tip > MAX_TIP ? MAX_TIP : tip
  } catch (error) {
    // Not every client has the method.
    if (error instanceof ChainError && error.code === 'REFUSED') return DEFAULT_TIP
    throw error
  }
}
