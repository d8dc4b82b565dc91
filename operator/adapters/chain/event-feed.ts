import type { Address, Root } from '../../core/ids.ts'
import { ChainError } from '../../core/ports/chain.ts'
import { type BlockRef, parseSender, type ServedLog } from './blocks.ts'
import type { RawLog } from './decode.ts'
import type { Cursor, EventStore } from './event-store.ts'
import { logsOfBlock, logsOfRange } from './logs.ts'
import type { ChainRpc } from './rpc.ts'

/** Most blocks asked for at once while catching up; halved where the client wants less. */
const RANGE_BLOCKS = 2_000
/** Further behind than this, finalized blocks are read by range before the head is walked. */
const WALK_BLOCKS = 128
const PARALLEL = 4

/**
 * One step of the chain as its consumer sees it, in this order: `reverted` leave the head (newest first), `applied` join it
 * (oldest first), `finalized` will never leave it. Each event is finalized once, after it was applied.
 */
export type Batch<Event> = {
  readonly reverted: readonly Event[]
  readonly applied: readonly Event[]
  readonly finalized: readonly Event[]
  readonly head: Cursor
  readonly finalizedBlock: Cursor
}

type FollowedBlock<Event> = { readonly block: BlockRef; readonly logs: readonly RawLog[]; readonly events: readonly Event[] }

type Options<Event> = {
  readonly rpc: ChainRpc
  readonly store: EventStore
  readonly addresses: readonly Address[]
  readonly deploymentBlock: number
  readonly decode: (log: RawLog) => Event | undefined
  /** Does an event earn the sender of its transaction something? Then it is told who that was. */
  readonly earns: (event: Event) => boolean
  readonly onBatch: (batch: Batch<Event>) => void
}

/**
 * Follows the events of some contracts through reorganizations. Unfinalized blocks are kept in memory, linked by parent hash;
 * finalized logs are stored with the hash of the block they reach to.
 */
export class EventFeed<Event> {
  readonly #options: Options<Event>
  #recent: readonly FollowedBlock<Event>[] = []
  #finalized: Cursor | undefined

  constructor(options: Options<Event>) {
    this.#options = options
  }

  /** Events after the finalized block, on the current branch. */
  unfinalized(): readonly Event[] {
    return this.#recent.flatMap(({ events }) => events)
  }

  /** Replays what is stored, as one batch. Must come first. Throws `ChainError` when the client's chain is not the stored one. */
  async restore(signal?: AbortSignal): Promise<void> {
    const { store, rpc } = this.#options
    const cursor = store.cursor()
    if (cursor === undefined) {
      this.#finalized = await this.#required(0, signal)
      return
    }
    const served = await rpc.block(cursor.number, signal).catch((error: unknown) => {
      if (error instanceof ChainError && error.code === 'REFUSED') return undefined
      throw error
    })
    if (served === undefined) {
      throw new ChainError('BEHIND', `expected an execution client that has block ${cursor.number}, but it is not there yet`, { cursor })
    }
    if (served.hash !== cursor.hash) {
      const reason = `expected block ${cursor.number} to be ${cursor.hash}, which was final, got ${served.hash}`
      throw new ChainError('OTHER_CHAIN', reason, { cursor })
    }
    this.#finalized = cursor
    const events = this.#decode([...store.logs()])
    this.#emit({ reverted: [], applied: events, finalized: events })
  }

  /** Brings the consumer up to the client's head and finality. False when nothing moved: the consumer is not called. Throws `ChainError`. */
  async poll(signal?: AbortSignal): Promise<boolean> {
    const head = await this.#required('latest', signal)
    if (head.hash === this.#tip().hash) return false
    const finalized = await this.#finalizedBlock(signal)
    const target = finalized !== undefined && finalized.number > this.#base().number ? finalized : undefined
    if (target !== undefined && target.number - this.#tip().number > WALK_BLOCKS) await this.#catchUp(target, signal)
    await this.#walk(head, signal)
    if (target !== undefined && target.number > this.#base().number) await this.#finalize(target, signal)
    return true
  }

  async #finalizedBlock(signal?: AbortSignal): Promise<BlockRef | undefined> {
    try {
      return await this.#options.rpc.block('finalized', signal)
    } catch (error) {
      // Before the first finality, clients call the tag an unknown block.
      if (error instanceof ChainError && error.code === 'REFUSED') return undefined
      throw error
    }
  }

  // From the new head back to a block that is followed already; then the branch that was left is reverted.
  async #walk(head: BlockRef, signal?: AbortSignal): Promise<void> {
    const base = this.#base()
    const known = new Map(this.#recent.map(({ block }, at) => [block.hash, at]))
    const fresh: BlockRef[] = []
    let at = head
    while (!known.has(at.hash) && at.hash !== base.hash) {
      if (at.number <= base.number) {
        throw new ChainError('BEHIND', `expected a head after block ${base.number} ${base.hash}, got ${head.number} ${head.hash}`, { head })
      }
      fresh.unshift(at)
      if (at.parentHash === base.hash || known.has(at.parentHash)) break
      at = await this.#required(at.parentHash, signal)
    }
    const ancestor = fresh[0]?.parentHash ?? head.hash
    const kept = ancestor === base.hash ? 0 : (known.get(ancestor) ?? -1) + 1
    const added = await this.#follow(fresh, signal)
    const left = this.#recent.slice(kept)
    this.#recent = [...this.#recent.slice(0, kept), ...added]
    const reverted = left.flatMap(({ events }) => events).toReversed()
    this.#emit({ reverted, applied: added.flatMap(({ events }) => events), finalized: [] })
  }

  async #follow(blocks: readonly BlockRef[], signal?: AbortSignal): Promise<readonly FollowedBlock<Event>[]> {
    const { rpc, addresses } = this.#options
    const followed: FollowedBlock<Event>[] = []
    for (let at = 0; at < blocks.length; at += PARALLEL) {
      const some = blocks.slice(at, at + PARALLEL)
      const served = await Promise.all(some.map((block) => logsOfBlock(rpc, { addresses, block }, signal)))
      for (const [i, block] of some.entries()) {
        const logs = await this.#complete(
          (served[i] ?? []).map((log) => ({ log, block })),
          signal,
        )
        followed.push({ block, logs, events: this.#decode(logs) })
      }
    }
    return followed
  }

  async #finalize(target: BlockRef, signal?: AbortSignal): Promise<void> {
    const at = this.#recent.findIndex(({ block }) => block.hash === target.hash)
    if (at < 0) return this.#catchUp(target, signal)
    const done = this.#recent.slice(0, at + 1)
    const logs = done.flatMap((followed) => followed.logs)
    // What was read at the head may have been served half. (Less than then is no news: some clients forget receipts in reorgs.)
    const { rpc, addresses, store } = this.#options
    const again = await logsOfRange(rpc, { addresses, from: this.#base().number + 1, to: target.number }, signal)
    if (hasMore(again, logs)) return this.#catchUp(target, signal)
    store.append(logs, target)
    this.#recent = this.#recent.slice(at + 1)
    this.#finalized = target
    this.#emit({ reverted: [], applied: [], finalized: done.flatMap(({ events }) => events) })
  }

  // Finalized blocks by range. What was followed beyond the old finalized block is dropped and comes again.
  async #catchUp(target: BlockRef, signal?: AbortSignal): Promise<void> {
    const reverted = this.unfinalized().toReversed()
    this.#recent = []
    if (reverted.length > 0) this.#emit({ reverted, applied: [], finalized: [] })
    const { rpc, store, addresses, deploymentBlock } = this.#options
    while (this.#base().number < target.number) {
      const from = Math.max(this.#base().number + 1, Math.min(deploymentBlock, target.number))
      const to = Math.min(target.number, from + RANGE_BLOCKS - 1)
      const end = to === target.number ? target : await this.#required(to, signal)
      const logs = await this.#timed(await logsOfRange(rpc, { addresses, from, to }, signal), signal)
      store.append(logs, end)
      this.#finalized = end
      const events = this.#decode(logs)
      this.#emit({ reverted: [], applied: events, finalized: events })
    }
  }

  async #timed(logs: readonly ServedLog[], signal?: AbortSignal): Promise<readonly RawLog[]> {
    const blocks = new Map<string, BlockRef>()
    const placed: { readonly log: ServedLog; readonly block: BlockRef }[] = []
    for (const log of logs) {
      const block = blocks.get(log.blockHash) ?? (await this.#required(log.blockHash, signal))
      blocks.set(log.blockHash, block)
      placed.push({ log, block })
    }
    return this.#complete(placed, signal)
  }

  /** Logs with their blocks' times, and with their transactions where these count. */
  async #complete(
    logs: readonly { readonly log: ServedLog; readonly block: BlockRef }[],
    signal?: AbortSignal,
  ): Promise<readonly RawLog[]> {
    const { decode, earns } = this.#options
    const senders = new Map<Root, Address>()
    const complete: RawLog[] = []
    for (const { log, block } of logs) {
      const raw = withTime(log, block)
      const event = decode(raw)
      if (event === undefined || !earns(event)) {
        complete.push(raw)
        continue
      }
      const hash = log.transactionHash
      const sender = senders.get(hash) ?? (await this.#senderOf(hash, signal))
      senders.set(hash, sender)
      complete.push({ ...raw, at: { ...raw.at, transaction: { hash, sender } } })
    }
    return complete
  }

  async #senderOf(hash: Root, signal?: AbortSignal): Promise<Address> {
    const answer = await this.#options.rpc.request('eth_getTransactionByHash', [hash], signal)
    if (answer === null) throw new ChainError('BEHIND', `expected the client to have transaction ${hash}, it has not`, { hash })
    return parseSender(answer)
  }

  #decode(logs: readonly RawLog[]): readonly Event[] {
    return logs.map((log) => this.#options.decode(log)).filter((event) => event !== undefined)
  }

  #emit(batch: Pick<Batch<Event>, 'reverted' | 'applied' | 'finalized'>): void {
    this.#options.onBatch({ ...batch, head: this.#tip(), finalizedBlock: this.#base() })
  }

  #base(): Cursor {
    if (this.#finalized === undefined) throw new Error('restore() comes before poll()')
    return this.#finalized
  }

  #tip(): Cursor {
    return this.#recent.at(-1)?.block ?? this.#base()
  }

  async #required(id: number | string, signal?: AbortSignal): Promise<BlockRef> {
    const block = await this.#options.rpc.block(id, signal)
    // A block that the client itself named a moment ago: it is changing branches, and the next poll sees the new one.
    if (block === undefined) throw new ChainError('BEHIND', `expected the client to have block ${id}, it has not`, { id })
    return block
  }
}

function hasMore(served: readonly ServedLog[], followed: readonly RawLog[]): boolean {
  const places = new Set(followed.map(({ at }) => `${at.blockHash}/${at.logIndex}`))
  return served.some(({ blockHash, logIndex }) => !places.has(`${blockHash}/${logIndex}`))
}

function withTime({ address, topics, data, blockNumber, blockHash, logIndex }: ServedLog, { timestamp }: BlockRef): RawLog {
  return { address, topics, data, at: { blockNumber, blockHash, timestamp, logIndex } }
}
