import { type BlockId, ChainError } from '../../core/ports/chain.ts'
import { isRevert } from './revert.ts'
import { type ChainRpc, toQuantity } from './rpc.ts'

/** A block as JSON-RPC takes it: quantity, tag, or an object by EIP-1898. */
export type BlockParameter = string | { readonly blockHash: string }

/**
 * Asks about one block. By hash (EIP-1898), so that the answer is of that block whatever the client's head is meanwhile. Where a
 * client refuses that, by number, provided that the number is that block's before and after: what is read in between is then its.
 * Throws `ChainError`; BEHIND when the client's chain has another block at that number, or none.
 */
export async function atBlock<T>(rpc: ChainRpc, block: BlockId, ask: (block: BlockParameter) => Promise<T>): Promise<T> {
  if (typeof block === 'string') return ask(block)
  if (typeof block === 'number') return ask(toQuantity(block))
  try {
    return await ask({ blockHash: block.hash })
  } catch (error) {
    if (!(error instanceof ChainError) || error.code !== 'REFUSED' || isRevert(error)) throw error
  }
  await assertCanonical(rpc, block)
  const answer = await ask(toQuantity(block.number))
  await assertCanonical(rpc, block)
  return answer
}

async function assertCanonical(rpc: ChainRpc, { number, hash }: Exclude<BlockId, number | string>): Promise<void> {
  const served = await rpc.block(number)
  if (served?.hash === hash) return
  throw new ChainError('BEHIND', `expected block ${number} to be ${hash}, the client has ${served?.hash ?? 'none'}`, { number, hash })
}
