import { ForkSeq } from '@lodestar/params'
import {
  type CachedBeaconStateElectra,
  computeEpochAtSlot,
  computeTimeAtSlot,
  getExpectedWithdrawals,
  getRandaoMix,
} from '@lodestar/state-transition'
import type { electra } from '@lodestar/types'
import { toHex } from '@lodestar/utils'
import type { BuiltPayload } from '../execution/engine.ts'
import type { AttestationPool } from './attestation-pool.ts'
import type { BeaconChain } from './chain.ts'
import type { FeeRecipients } from './fee-recipients.ts'
import type { OperationPool } from './operation-pool.ts'
import type { StoredBlock } from './store.ts'
import type { SyncPool } from './sync-pool.ts'

export type ProducedBlock = {
  readonly block: electra.BeaconBlock
  readonly payload: BuiltPayload
  /** Gwei that the proposer earns on the beacon chain. */
  readonly consensusReward: number
}

type PayloadRequest = { readonly slot: number; readonly parent: StoredBlock; readonly feeRecipient: Uint8Array }

/**
 * Builds blocks on the head. The execution payload of the next slot is begun as soon as there is a new
 * head, and finished when its block is asked for, so that late transactions still get in.
 */
export class BlockProducer {
  readonly #chain: BeaconChain
  readonly #attestations: AttestationPool
  readonly #sync: SyncPool
  readonly #operations: OperationPool
  readonly #feeRecipients: FeeRecipients
  #begun: { readonly key: string; readonly id: string } | undefined
  #finished: { readonly key: string; readonly payload: BuiltPayload } | undefined
  #produced: { readonly slot: number; readonly blocks: Map<string, ProducedBlock> } = { slot: 0, blocks: new Map() }

  constructor(options: {
    readonly chain: BeaconChain
    readonly attestations: AttestationPool
    readonly sync: SyncPool
    readonly operations: OperationPool
    readonly feeRecipients: FeeRecipients
  }) {
    this.#chain = options.chain
    this.#attestations = options.attestations
    this.#sync = options.sync
    this.#operations = options.operations
    this.#feeRecipients = options.feeRecipients
  }

  /**
   * Tells the execution client of the head and begins the payload of the slot after it, if that has not passed.
   * To be called from within `chain.serial` only.
   */
  async prepare(): Promise<void> {
    const parent = this.#chain.head
    const slot = parent.slot + 1
    if (slot < this.#chain.clock.slot) {
      await this.#chain.engine.forkchoiceUpdated(this.#chain.forkchoiceState())
      return
    }
    const state = this.#chain.states.advanced(parent, slot)
    await this.#begin(state, { slot, parent, feeRecipient: this.#feeRecipients.of(state.epochCtx.getBeaconProposer(slot)) })
  }

  /**
   * An unsigned block for the slot's proposer, executed to its state root. The same request gets the same block again.
   * To be called from within `chain.serial` only.
   */
  async produce(request: {
    readonly slot: number
    readonly randaoReveal: Uint8Array
    readonly graffiti: Uint8Array
    readonly feeRecipient?: Uint8Array | undefined
  }): Promise<ProducedBlock> {
    const { slot, randaoReveal, graffiti } = request
    const parent = this.#chain.head
    const state = this.#chain.states.advanced(parent, slot)
    const proposerIndex = state.epochCtx.getBeaconProposer(slot)
    const feeRecipient = request.feeRecipient ?? this.#feeRecipients.of(proposerIndex)

    if (this.#produced.slot !== slot) this.#produced = { slot, blocks: new Map() }
    const key = [parent.rootHex, ...[randaoReveal, graffiti, feeRecipient].map((bytes) => toHex(bytes))].join()
    const known = this.#produced.blocks.get(key)
    if (known !== undefined) return known

    const payload = await this.#payload(state, { slot, parent, feeRecipient })
    const block: electra.BeaconBlock = {
      slot,
      proposerIndex,
      parentRoot: parent.root,
      stateRoot: new Uint8Array(32),
      body: {
        randaoReveal,
        graffiti,
        eth1Data: state.eth1Data.toValue(),
        deposits: [],
        attestations: this.#attestations.pack(state),
        ...this.#operations.pack(state),
        syncAggregate: this.#sync.aggregate(slot - 1, parent.root),
        executionPayload: payload.payload,
        executionRequests: payload.requests,
        blobKzgCommitments: payload.commitments,
      },
    }
    const { proposerRewards } = this.#chain.trial(block)
    const consensusReward = proposerRewards.attestations + proposerRewards.syncAggregate + proposerRewards.slashing
    const produced = { block, payload, consensusReward }
    this.#produced.blocks.set(key, produced)
    return produced
  }

  async #begin(state: CachedBeaconStateElectra, request: PayloadRequest): Promise<string> {
    const { slot, parent, feeRecipient } = request
    const key = keyOf(request)
    if (this.#begun?.key === key) return this.#begun.id
    const id = await this.#chain.engine.forkchoiceUpdated(this.#chain.forkchoiceState(), {
      timestamp: computeTimeAtSlot(this.#chain.config, slot, this.#chain.clock.genesisTime),
      prevRandao: getRandaoMix(state, computeEpochAtSlot(slot)),
      feeRecipient,
      withdrawals: getExpectedWithdrawals(ForkSeq.electra, state).expectedWithdrawals,
      parentBeaconBlockRoot: parent.root,
    })
    if (id === null) throw new Error(`The execution client began no payload for slot ${slot}`)
    this.#begun = { key, id }
    return id
  }

  async #payload(state: CachedBeaconStateElectra, request: PayloadRequest): Promise<BuiltPayload> {
    const key = keyOf(request)
    if (this.#finished?.key === key) return this.#finished.payload
    const payload = await this.#chain.engine.getPayload(await this.#begin(state, request))
    this.#finished = { key, payload }
    return payload
  }
}

const keyOf = ({ slot, parent, feeRecipient }: PayloadRequest): string => `${slot}:${parent.rootHex}:${toHex(feeRecipient)}`
