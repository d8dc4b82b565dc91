import { ChainError } from '../../core/ports/chain.ts'
import type { Store } from '../../core/ports/store.ts'
import type { BlockRef } from './blocks.ts'
import type { RawLog } from './decode.ts'
import type { ChainIdentity } from './rpc.ts'

const LOGS = 'chain-logs'
const CURSOR = 'chain-cursor'
const PAGE = 1_000

/** The last finalized block whose logs are stored. */
export type Cursor = Pick<BlockRef, 'number' | 'hash' | 'timestamp'>

type Stored = Cursor & { readonly chainId: string; readonly genesis: string; readonly directory: string }

/**
 * The finalized logs of one deployment, in chain order, and how far they reach. What is not finalized is never stored, so
 * nothing here is ever taken back.
 */
export class EventStore {
  readonly #store: Store
  readonly #owner: Pick<Stored, 'chainId' | 'genesis' | 'directory'>

  constructor({ store, identity, directory }: { readonly store: Store; readonly identity: ChainIdentity; readonly directory: string }) {
    this.#store = store
    this.#owner = { chainId: identity.chainId.toString(), genesis: identity.genesis, directory }
  }

  /** Where to go on. Throws `ChainError` OTHER_CHAIN when the data folder belongs to another chain or deployment. */
  cursor(): Cursor | undefined {
    const text = this.#store.get(CURSOR, 'finalized')
    if (text === undefined) return undefined
    const stored = JSON.parse(text) as Stored
    for (const field of ['chainId', 'genesis', 'directory'] as const) {
      if (stored[field] !== this.#owner[field]) {
        const expected = `expected the ${field} ${stored[field]} that this data folder was used with, got ${this.#owner[field]}`
        throw new ChainError('OTHER_CHAIN', expected, { field })
      }
    }
    return stored
  }

  /** Every stored log, oldest first. */
  *logs(): Generator<RawLog> {
    for (let from = ''; ; ) {
      const page = this.#store.list(LOGS, { from, limit: PAGE })
      for (const [, text] of page) yield JSON.parse(text) as RawLog
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      from = `${last[0]}\0`
    }
  }

  /** Stores the logs of the blocks up to the cursor, and the cursor, at once. */
  append(logs: readonly RawLog[], { number, hash, timestamp }: Cursor): void {
    this.#store.transaction(() => {
      for (const log of logs) this.#store.put(LOGS, keyOf(log), JSON.stringify(log))
      this.#store.put(CURSOR, 'finalized', JSON.stringify({ number, hash, timestamp, ...this.#owner } satisfies Stored))
    })
  }
}

function keyOf({ at }: RawLog): string {
  return `${String(at.blockNumber).padStart(12, '0')}-${String(at.logIndex).padStart(8, '0')}`
}
