import { setTimeout as delay } from 'node:timers/promises'
import type { Address } from '../../core/ids.ts'
import { ChainError } from '../../core/ports/chain.ts'
import { type BlockRef, parseLogs, type ServedLog } from './blocks.ts'
import { bloomMayHold } from './bloom.ts'
import { type ChainRpc, toQuantity } from './rpc.ts'

type Range = { readonly from: number; readonly to: number }

/** Looks at a block whose bloom announces logs that are not served yet, and the pause between them. */
const LOOKS = 5
const PAUSE_MS = 100

/**
 * Logs of one block, by its hash, so that a reorganization in between cannot mix branches. Some clients name a block their head
 * before its receipts can be read, and answer with no logs: where the block's bloom announces logs of an address that are not
 * there, it is asked again a few times before the bloom counts as a false positive. Throws `ChainError`.
 */
export async function logsOfBlock(
  rpc: ChainRpc,
  { addresses, block }: { readonly addresses: readonly Address[]; readonly block: Pick<BlockRef, 'hash' | 'logsBloom'> },
  signal?: AbortSignal,
): Promise<readonly ServedLog[]> {
  const { logsBloom: bloom } = block
  const announced = bloom === undefined ? [] : addresses.filter((address) => bloomMayHold(bloom, address))
  if (bloom !== undefined && announced.length === 0) return []
  for (let look = 1; ; look++) {
    const logs = parseLogs(await rpc.request('eth_getLogs', [{ address: addresses, blockHash: block.hash }], signal))
    const complete = announced.every((address) => logs.some((log) => log.address === address))
    if (complete || look === LOOKS) return logs
    await delay(PAUSE_MS, undefined, signal === undefined ? {} : { signal })
  }
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
