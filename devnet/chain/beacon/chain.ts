import { EventEmitter } from 'node:events'
import type { routes } from '@lodestar/api'
import type { BeaconConfig } from '@lodestar/config'
import {
  blockToHeader,
  type CachedBeaconStateElectra,
  computeEpochAtSlot,
  computeStartSlotAtEpoch,
  DataAvailabilityStatus,
  ExecutionPayloadStatus,
  stateTransition,
} from '@lodestar/state-transition'
import { type electra, type phase0, ssz } from '@lodestar/types'
import { byteArrayEquals, toRootHex } from '@lodestar/utils'
import type { Engine, ForkchoiceState } from '../execution/engine.ts'
import type { Clock } from './clock.ts'
import { headEvents } from './head-events.ts'
import { Serial } from './serial.ts'
import { verifyBlockSignatures } from './signatures.ts'
import { States } from './states.ts'
import { Store, type StoredBlock } from './store.ts'

type BeaconEvent = routes.events.BeaconEvent

/** A block was refused; the message says why. */
export class InvalidBlockError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'InvalidBlockError'
  }
}

/**
 * The beacon chain: one line of blocks without forks, each verified in full by Lodestar's state transition
 * and by the execution client before it becomes the head.
 */
export class BeaconChain {
  readonly config: BeaconConfig
  readonly clock: Clock
  readonly engine: Engine
  readonly store = new Store()
  readonly states = new States(this.store)
  /** Emits `event` with what the Beacon API's event stream carries, and `head` with the StoredBlock. */
  readonly emitter = new EventEmitter().setMaxListeners(0)
  /** Everything that changes the head, or works on it over several steps, runs here. */
  readonly serial = new Serial()
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
    return this.states.after(this.head)
  }

  /** Finalized and justified blocks as the head's state has them; genesis until there are others. */
  get finalized(): StoredBlock {
    return this.store.byRoot(toRootHex(this.headState.finalizedCheckpoint.root)) ?? this.store.genesis
  }

  get justified(): StoredBlock {
    return this.store.byRoot(toRootHex(this.headState.currentJustifiedCheckpoint.root)) ?? this.store.genesis
  }

  /**
   * What an attester of the slot votes for who takes this block, of that slot or before, for the head
   * (validator.md, attestation data).
   */
  attestationData(slot: number, block: StoredBlock = this.store.atOrBefore(slot)): phase0.AttestationData {
    const state = this.states.advanced(block, slot)
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

  /** Head, justified and finalized execution blocks, for the execution client. */
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
    const state = this.states.advanced(this.head, block.slot)
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
    for (const event of headEvents(this, stored, finalizedBefore)) this.emit(event)
    this.emitter.emit('head', stored)
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
    return stateTransition(this.states.advanced(this.head, slot), signedBlock, {
      ...options,
      // Signatures are verified in one batch at import, see signatures.ts.
      verifyProposer: false,
      verifySignatures: false,
      executionPayloadStatus: ExecutionPayloadStatus.valid,
      dataAvailabilityStatus: DataAvailabilityStatus.Available,
    }) as CachedBeaconStateElectra
  }

  emit(event: BeaconEvent): void {
    this.emitter.emit('event', event)
  }
}
