import type { Address } from '../../core/ids.ts'
import { ChainError } from '../../core/ports/chain.ts'
import { parseLogs, type ServedLog } from './blocks.ts'
import { type ChainRpc, toQuantity } from './rpc.ts'

type Range = { readonly from: number; readonly to: number }

/** Logs of one block, by its hash, so that a reorganization in between cannot mix branches. Throws `ChainError`. */
export async function logsOfBlock(
  rpc: ChainRpc,
  { addresses, blockHash }: { readonly addresses: readonly Address[]; readonly blockHash: string },
  signal?: AbortSignal,
): Promise<readonly ServedLog[]> {
  return parseLogs(await rpc.request('eth_getLogs', [{ address: addresses, blockHash }], signal))
}

/**
 * Logs of a range of blocks, both ends included. A range that the client refuses (every client has other limits on blocks
 * and results) is halved. Throws `ChainError`.
 */
export async function logsOfRange(
  rpc: ChainRpc,
  { addresses, from, to }: Range & { readonly addresses: readonly Address[] },
  signal?: AbortSignal,
): Promise<readonly ServedLog[]> {
  try {
    return parseLogs(
      await rpc.request('eth_getLogs', [{ address: addresses, fromBlock: toQuantity(from), toBlock: toQuantity(to) }], signal),
    )
  } catch (error) {
    if (!(error instanceof ChainError) || (error.code !== 'REFUSED' && error.code !== 'TIMEOUT') || from === to) throw error
    const middle = Math.floor((from + to) / 2)
    const first = await logsOfRange(rpc, { addresses, from, to: middle }, signal)
    return [...first, ...(await logsOfRange(rpc, { addresses, from: middle + 1, to }, signal))]
  }
}
