// The preset comes before anything of Lodestar's.
import '../../devnet/chain/preset.ts'

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ssz } from '@lodestar/types'
import { startApi } from '../../devnet/chain/api/server.ts'
import { AttestationPool } from '../../devnet/chain/beacon/attestation-pool.ts'
import { BeaconChain } from '../../devnet/chain/beacon/chain.ts'
import { Clock } from '../../devnet/chain/beacon/clock.ts'
import { chainConfig } from '../../devnet/chain/beacon/config.ts'
import { FeeRecipients } from '../../devnet/chain/beacon/fee-recipients.ts'
import { genesisState } from '../../devnet/chain/beacon/genesis.ts'
import { LocalDuties } from '../../devnet/chain/beacon/local-duties.ts'
import { LocalKeys } from '../../devnet/chain/beacon/local-keys.ts'
import { OperationPool } from '../../devnet/chain/beacon/operation-pool.ts'
import { BlockProducer } from '../../devnet/chain/beacon/producer.ts'
import { SyncPool } from '../../devnet/chain/beacon/sync-pool.ts'
import { startExecutionClient } from '../../devnet/chain/execution/client.ts'
import { Engine } from '../../devnet/chain/execution/engine.ts'
import { freePorts } from '../../devnet/chain/execution/ports.ts'
import { createLog } from '../../devnet/chain/log.ts'

const HOST = '127.0.0.1'
const VALIDATORS = 16
const SLOT_SECONDS = 1
/** Slots in a row that may come to nothing. */
const MOST_FAILURES = 5

/** A branch of the beacon chain with what waits for its blocks. */
type Branch = {
  readonly chain: BeaconChain
  readonly producer: BlockProducer
  readonly duties: LocalDuties
  readonly attestations: AttestationPool
  readonly sync: SyncPool
  readonly operations: OperationPool
}

/** The slot that is being made, whatever the time: a chain that catches up with the wall clock runs faster than it. */
class SlotInHand extends Clock {
  inHand = 0

  override get slot(): number {
    return this.inHand
  }
}

/**
 * The local Ethereum's own parts, its execution client a process of its own, put together so that a test chooses the branch: the
 * beacon node and the execution client that it drives through the Engine API leave one branch and go on with another, as after
 * a partition. Every block of every branch is verified in full. Slots come as fast as the pace allows and never before their time.
 */
export class ForkingChain {
  readonly beaconUrl: string
  readonly executionUrl: string
  /** Do the chain's own validators vote? Without their votes nothing is justified. */
  votes = true
  /** Least time from one block to the next. */
  paceMs: number
  readonly #open: () => Branch
  readonly #present: { branch: Branch }
  readonly #clock: SlotInHand
  readonly #stops: readonly (() => unknown)[]
  #step: Promise<unknown> = Promise.resolve()
  #running = true

  private constructor(parts: {
    readonly urls: { readonly beaconUrl: string; readonly executionUrl: string }
    readonly open: () => Branch
    readonly present: { branch: Branch }
    readonly clock: SlotInHand
    readonly stops: readonly (() => unknown)[]
    readonly paceMs: number
  }) {
    this.beaconUrl = parts.urls.beaconUrl
    this.executionUrl = parts.urls.executionUrl
    this.#open = parts.open
    this.#present = parts.present
    this.#clock = parts.clock
    this.#stops = parts.stops
    this.paceMs = parts.paceMs
    void this.#run()
  }

  /**
   * @param options.slotsBehind how many slots ago genesis was: those can come faster than time
   * @param options.paceMs least time from one block to the next
   */
  static async start({ slotsBehind, paceMs }: { readonly slotsBehind: number; readonly paceMs: number }): Promise<ForkingChain> {
    const dataDir = mkdtempSync(join(tmpdir(), 'open-pools-forks-'))
    const log = createLog({ verbose: false })
    const [rpcPort = 0, enginePort = 0] = await freePorts({ host: HOST, count: 2 })
    const genesisTime = Math.floor(Date.now() / 1000) - slotsBehind * SLOT_SECONDS
    const execution = await startExecutionClient({ dataDir, host: HOST, rpcPort, enginePort, genesisTime: genesisTime - 1 })
    const removeFolder = () => rmSync(dataDir, { recursive: true, force: true })
    try {
      const engine = new Engine(execution)
      const keys = new LocalKeys(VALIDATORS)
      const choices = chainConfig({ slotSeconds: SLOT_SECONDS, validators: VALIDATORS })
      const clock = new SlotInHand({ genesisTime, slotSeconds: SLOT_SECONDS })
      const block = await engine.genesisBlock()
      const feeRecipients = new FeeRecipients()
      const open = (): Branch => {
        const { config, state } = genesisState({ chainConfig: choices, genesisTime, pubkeys: keys.pubkeys, block })
        const chain = new BeaconChain({ config, clock, engine, genesis: state })
        const attestations = new AttestationPool()
        const sync = new SyncPool()
        const operations = new OperationPool()
        const producer = new BlockProducer({ chain, attestations, sync, operations, feeRecipients })
        const duties = new LocalDuties({ chain, producer, attestations, sync, keys })
        return { chain, producer, duties, attestations, sync, operations }
      }
      const present = { branch: open() }
      const context = {
        chain: presentOf(() => present.branch.chain),
        producer: presentOf(() => present.branch.producer),
        attestations: presentOf(() => present.branch.attestations),
        sync: presentOf(() => present.branch.sync),
        operations: presentOf(() => present.branch.operations),
        feeRecipients,
      }
      const api = await startApi({ context, host: HOST, port: 0, log })
      const urls = { beaconUrl: api.url, executionUrl: execution.executionUrl }
      return new ForkingChain({ urls, open, present, clock, paceMs, stops: [api.stop, execution.stop, removeFolder] })
    } catch (error) {
      await execution.stop()
      removeFolder()
      throw error
    }
  }

  /** Slot of the head. */
  get slot(): number {
    return this.#chain.head.slot
  }

  /** Have the slots come up with time? From then on each comes in its own. */
  get isUpToDate(): boolean {
    return this.#clock.startOf(this.slot + 2) > Date.now()
  }

  /** Epoch that the head's state has finalized. */
  get finalizedEpoch(): number {
    return this.#chain.headState.finalizedCheckpoint.epoch
  }

  /** The voluntary exits that reached the beacon node, waiting or in a block of the present branch. */
  get exits(): number {
    return this.#present.branch.operations.exits.size
  }

  /**
   * Leaves the branch: what came after its block of a slot, or the last before it, is as if it had never been. Resolves with the
   * last slot of the branch that was left, when both clients stand at the last common block.
   */
  async leaveAfter(slot: number): Promise<number> {
    return await this.#inTurn(async () => {
      const left = this.#chain
      const branch = this.#open()
      for (let at = 1; at <= slot; at++) {
        const bytes = left.store.bySlot(at)?.bytes
        if (bytes == null) continue
        this.#clock.inHand = at
        await branch.chain.importNow(ssz.electra.SignedBeaconBlock.deserialize(bytes))
      }
      // Who listens goes on listening to the same node.
      for (const listener of left.emitter.listeners('event')) branch.chain.emitter.on('event', listener as (event: unknown) => void)
      this.#present.branch = branch
      this.#clock.inHand = slot
      // The common block's own slot stays the last one voted for; the next block is another than the one that was left.
      branch.duties.attest(branch.chain.head.slot)
      await branch.chain.engine.forkchoiceUpdated(branch.chain.forkchoiceState())
      return left.head.slot
    })
  }

  async stop(): Promise<void> {
    this.#running = false
    await this.#step.catch(() => undefined)
    for (const stop of this.#stops) await stop()
  }

  get #chain(): BeaconChain {
    return this.#present.branch.chain
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#step.then(work, work)
    this.#step = turn.catch(() => undefined)
    return turn
  }

  async #run(): Promise<void> {
    let failures = 0
    while (this.#running) {
      const began = Date.now()
      failures = await this.#inTurn(() => this.#slot(this.#clock.inHand + 1)).then(
        () => 0,
        // On a busy machine the execution client may not answer in time: then a slot stays empty.
        (error: unknown) => (failures < MOST_FAILURES ? failures + 1 : Promise.reject(error)),
      )
      await sleep(Math.max(this.paceMs - (Date.now() - began), this.#clock.startOf(this.#clock.inHand + 1) - Date.now(), 0))
    }
  }

  async #slot(slot: number): Promise<void> {
    if (!this.#running) return
    const { chain, producer, duties, attestations, sync } = this.#present.branch
    this.#clock.inHand = slot
    attestations.prune(slot)
    sync.prune(slot)
    await duties.propose(slot)
    if (this.votes) duties.attest(slot)
    await chain.serial.run(() => producer.prepare())
  }
}

/** Stands for what a branch has of a kind, whichever branch is the present one; events come from one emitter. */
function presentOf<T extends object>(present: () => T): T {
  return new Proxy({} as T, {
    get(_, name) {
      const target = present()
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
