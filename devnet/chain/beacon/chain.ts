import { EventEmitter } from 'node:events'
import { routes } from '@lodestar/api'
import type { BeaconConfig } from '@lodestar/config'
import { ForkName, SLOTS_PER_EPOCH } from '@lodestar/params'
import {
  attesterShufflingDecisionRoot,
  BeaconStateView,
  blockToHeader,
  type CachedBeaconStateElectra,
  computeEpochAtSlot,
  computeStartSlotAtEpoch,
  DataAvailabilityStatus,
  ExecutionPayloadStatus,
  processSlots,
  proposerShufflingDecisionRoot,
  stateTransition,
} from '@lodestar/state-transition'
import { type electra, type phase0, ssz } from '@lodestar/types'
import { byteArrayEquals, toRootHex } from '@lodestar/utils'
import type { Engine, ForkchoiceState } from '../execution/engine.ts'
import type { Clock } from './clock.ts'
import { Serial } from './serial.ts'
import { verifyBlockSignatures } from './signatures.ts'
import { Store, type StoredBlock } from './store.ts'

type BeaconEvent = routes.events.BeaconEvent
const { EventType } = routes.events

/** A block was refused; the message says why. */
export class InvalidBlockError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'InvalidBlockError'
  }
}

/** A state was asked for that is too old and has been forgotten. */
export class ForgottenStateError extends Error {
  constructor(slot: number) {
    super(`The state of slot ${slot} is older than the finalized one and has been forgotten`)
    this.name = 'ForgottenStateError'
  }
}

/** How many states advanced past their block are remembered: the next slot's, and a few asked for over the API. */
const ADVANCED_STATES = 8

/**
 * The beacon chain: one line of blocks without forks, each verified in full by Lodestar's state transition
 * and by the execution client before it becomes the head.
 */
export class BeaconChain {
  readonly config: BeaconConfig
  readonly clock: Clock
  readonly engine: Engine
  readonly store = new Store()
  /** Emits `event` with what the Beacon API's event stream carries, and `head` with the StoredBlock. */
  readonly emitter = new EventEmitter().setMaxListeners(0)
  /** Everything that changes the head, or works on it over several steps, runs here. */
  readonly serial = new Serial()
  readonly #advanced = new Map<string, CachedBeaconStateElectra>()
  /** Post-states of blocks that were made for the slot and have not been imported, by block root. */
  readonly #trials: { slot: number; readonly states: Map<string, CachedBeaconStateElectra> } = { slot: 0, states: new Map() }

  constructor(options: {
    readonly config: BeaconConfig
    readonly clock: Clock
    readonly engine: Engine
    readonly genesis: CachedBeaconStateElectra
  }) {
    this.config = options.config
    this.clock = options.clock
    this.engine = options.engine
    const state = options.genesis
    const header = { ...state.latestBlockHeader.toValue(), stateRoot: state.hashTreeRoot() }
    const root = ssz.phase0.BeaconBlockHeader.hashTreeRoot(header)
    this.store.add(
      {
        slot: 0,
        root,
        rootHex: toRootHex(root),
        parentRootHex: toRootHex(header.parentRoot),
        stateRootHex: toRootHex(header.stateRoot),
        executionHash: state.latestExecutionPayloadHeader.blockHash,
        header: { message: header, signature: new Uint8Array(96) },
        bytes: null,
      },
      state,
    )
  }

  get head(): StoredBlock {
    return this.store.head
  }

  /** The state after the head block. */
  get headState(): CachedBeaconStateElectra {
    return this.#postState(this.head)
  }

  /** Finalized and justified blocks as the head's state has them; genesis until there are others. */
  get finalized(): StoredBlock {
    return this.store.byRoot(toRootHex(this.headState.finalizedCheckpoint.root)) ?? this.store.genesis
  }

  get justified(): StoredBlock {
    return this.store.byRoot(toRootHex(this.headState.currentJustifiedCheckpoint.root)) ?? this.store.genesis
  }

  /** The state at a slot: after its block, or the earlier state advanced over the empty slots. Throws ForgottenStateError. */
  stateAt(slot: number): CachedBeaconStateElectra {
    return this.advanced(this.store.atOrBefore(slot), slot)
  }

  /** The state after a block, advanced to a later slot. Throws ForgottenStateError. */
  advanced(block: StoredBlock, slot: number): CachedBeaconStateElectra {
    if (slot <= block.slot) return this.#postState(block)
    const key = `${block.rootHex}:${slot}`
    const known = this.#advanced.get(key)
    if (known !== undefined) return known
    let nearest: CachedBeaconStateElectra | undefined
    for (let earlier = slot - 1; earlier > block.slot && nearest === undefined; earlier--) {
      nearest = this.#advanced.get(`${block.rootHex}:${earlier}`)
    }
    const state = processSlots(nearest ?? this.#postState(block), slot) as CachedBeaconStateElectra
    this.#advanced.set(key, state)
    for (const oldest of this.#advanced.keys()) {
      if (this.#advanced.size <= ADVANCED_STATES) break
      this.#advanced.delete(oldest)
    }
    return state
  }

  /** Finds a state by its root among those kept, also those advanced over empty slots. */
  stateByRoot(stateRootHex: string): CachedBeaconStateElectra | undefined {
    const block = this.store.byStateRoot(stateRootHex)
    if (block !== undefined) return this.#postState(block)
    return [...this.#advanced.values()].find((state) => toRootHex(state.hashTreeRoot()) === stateRootHex)
  }

  /**
   * What an attester of the slot votes for who takes this block, of that slot or before, for the head
   * (validator.md, attestation data).
   */
  attestationData(slot: number, block: StoredBlock = this.store.atOrBefore(slot)): phase0.AttestationData {
    const state = this.advanced(block, slot)
    const epoch = computeEpochAtSlot(slot)
    const epochStart = computeStartSlotAtEpoch(epoch)
    return {
      slot,
      index: 0,
      beaconBlockRoot: block.root,
      source: state.currentJustifiedCheckpoint.toValue(),
      target: { epoch, root: block.slot <= epochStart ? block.root : this.store.atOrBefore(epochStart).root },
    }
  }

  /** Root of the block that fixed the epoch's committees. */
  attesterDependentRoot(state: CachedBeaconStateElectra, epoch: number): Uint8Array {
    return attesterShufflingDecisionRoot(state, epoch) ?? this.#undecidedRoot(epoch - 1)
  }

  /** Root of the block that fixed the epoch's proposers. */
  proposerDependentRoot(state: CachedBeaconStateElectra, epoch: number): Uint8Array {
    return proposerShufflingDecisionRoot(ForkName.electra, new BeaconStateView(state), epoch) ?? this.#undecidedRoot(epoch)
  }

  /** Genesis decides for the first epochs; later, a decision that has not been made yet is the head's for now. */
  #undecidedRoot(decidedBeforeEpoch: number): Uint8Array {
    return decidedBeforeEpoch <= 0 ? this.store.genesis.root : this.head.root
  }

  forkchoiceState(): ForkchoiceState {
    return {
      head: this.head.executionHash,
      safe: this.justified.executionHash,
      finalized: this.finalized.executionHash,
    }
  }

  /** Executes a block whose state root and signature are not known yet, and remembers the result for its import. */
  trial(block: electra.BeaconBlock): CachedBeaconStateElectra {
    const post = this.#execute({ message: block, signature: new Uint8Array(96) }, { verifyStateRoot: false })
    block.stateRoot = post.hashTreeRoot()
    if (this.#trials.slot !== block.slot) this.#trials.states.clear()
    this.#trials.slot = block.slot
    this.#trials.states.set(toRootHex(ssz.electra.BeaconBlock.hashTreeRoot(block)), post)
    return post
  }

  /** Takes a block from outside in its turn, which must come while the block's slot lasts. Throws InvalidBlockError. */
  importBlock(signedBlock: electra.SignedBeaconBlock): Promise<StoredBlock> {
    return this.serial.run(async () => {
      const { slot } = signedBlock.message
      if (slot !== this.clock.slot) throw new InvalidBlockError(`The block is for slot ${slot}, but it is slot ${this.clock.slot} now`)
      return await this.importNow(signedBlock)
    })
  }

  /**
   * Verifies a block in full and makes it the head. Throws InvalidBlockError.
   * To be called from within {@link serial} only.
   */
  async importNow(signedBlock: electra.SignedBeaconBlock): Promise<StoredBlock> {
    const block = signedBlock.message
    this.#checkPlace(block)
    const root = ssz.electra.BeaconBlock.hashTreeRoot(block)
    const state = this.advanced(this.head, block.slot)
    let post: CachedBeaconStateElectra
    try {
      post = this.#trials.states.get(toRootHex(root)) ?? this.#execute(signedBlock, { verifyStateRoot: true })
      verifyBlockSignatures(state, signedBlock)
      await this.engine.newPayload(block)
    } catch (error) {
      throw new InvalidBlockError(error instanceof Error ? error.message : String(error))
    }
    const stored: StoredBlock = {
      slot: block.slot,
      root,
      rootHex: toRootHex(root),
      parentRootHex: toRootHex(block.parentRoot),
      stateRootHex: toRootHex(block.stateRoot),
      executionHash: block.body.executionPayload.blockHash,
      header: { message: blockToHeader(this.config, block), signature: signedBlock.signature },
      bytes: ssz.electra.SignedBeaconBlock.serialize(signedBlock),
    }
    const finalizedBefore = this.finalized
    this.store.add(stored, post)
    this.#trials.states.clear()
    this.store.prune(this.finalized.slot)
    this.#announce(stored, post, finalizedBefore)
    return stored
  }

  #checkPlace(block: electra.BeaconBlock): void {
    const { head } = this
    if (block.slot <= head.slot) throw new InvalidBlockError(`Slot ${block.slot} already has block ${head.rootHex}`)
    if (!byteArrayEquals(block.parentRoot, head.root)) {
      throw new InvalidBlockError(`The block's parent is ${toRootHex(block.parentRoot)}, but the head is ${head.rootHex}`)
    }
  }

  #execute(signedBlock: electra.SignedBeaconBlock, options: { readonly verifyStateRoot: boolean }): CachedBeaconStateElectra {
    const { slot } = signedBlock.message
    return stateTransition(this.advanced(this.head, slot), signedBlock, {
      ...options,
      // Signatures are verified in one batch at import, see signatures.ts.
      verifyProposer: false,
      verifySignatures: false,
      executionPayloadStatus: ExecutionPayloadStatus.valid,
      dataAvailabilityStatus: DataAvailabilityStatus.Available,
    }) as CachedBeaconStateElectra
  }

  #postState(block: StoredBlock): CachedBeaconStateElectra {
    const state = this.store.postState(block.rootHex)
    if (state === undefined) throw new ForgottenStateError(block.slot)
    return state
  }

  #announce(block: StoredBlock, state: CachedBeaconStateElectra, finalizedBefore: StoredBlock): void {
    const epoch = computeEpochAtSlot(block.slot)
    const head = { slot: block.slot, block: block.rootHex, executionOptimistic: false }
    this.emit({ type: EventType.block, message: head })
    this.emit({
      type: EventType.head,
      message: {
        ...head,
        state: block.stateRootHex,
        epochTransition: block.slot % SLOTS_PER_EPOCH === 0,
        previousDutyDependentRoot: toRootHex(this.attesterDependentRoot(state, epoch)),
        currentDutyDependentRoot: toRootHex(this.attesterDependentRoot(state, epoch + 1)),
      },
    })
    this.emitter.emit('head', block)
    const { finalized } = this
    if (finalized === finalizedBefore) return
    const { epoch: finalizedEpoch } = state.finalizedCheckpoint
    const message = { block: finalized.rootHex, state: finalized.stateRootHex, epoch: finalizedEpoch, executionOptimistic: false }
    this.emit({ type: EventType.finalizedCheckpoint, message })
  }

  emit(event: BeaconEvent): void {
    this.emitter.emit('event', event)
  }
}
