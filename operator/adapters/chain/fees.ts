import { ChainError } from '../../core/ports/chain.ts'
import type { BlockRef } from './blocks.ts'
import type { ChainRpc } from './rpc.ts'

/** EIP-1559 fees, wei per gas. */
export type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

const GWEI = 10n ** 9n
const DEFAULT_TIP = GWEI
const MAX_TIP = 50n * GWEI
// Clients replace a waiting transaction only for at least a tenth more.
const BUMP_PERCENT = 125n

/** Fees for the next block: twice the base fee of now, so that six full blocks in a row do not strand the transaction. */
export async function suggestFees(rpc: ChainRpc, head: BlockRef, signal?: AbortSignal): Promise<Fees> {
  const tip = await suggestedTip(rpc, signal)
  return { maxFeePerGas: head.baseFeePerGas * 2n + tip, maxPriorityFeePerGas: tip }
}

/** More than before by what a replacement needs, and no less than what is usual now. */
export function bumpFees(before: Fees, suggested: Fees): Fees {
  const bumped = (fee: bigint): bigint => (fee * BUMP_PERCENT) / 100n + 1n
  const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
  return {
    maxFeePerGas: larger(bumped(before.maxFeePerGas), suggested.maxFeePerGas),
    maxPriorityFeePerGas: larger(bumped(before.maxPriorityFeePerGas), suggested.maxPriorityFeePerGas),
  }
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
