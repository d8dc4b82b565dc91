import { BitArray } from '@chainsafe/ssz'
import { DOMAIN_BEACON_PROPOSER, DOMAIN_RANDAO, SYNC_COMMITTEE_SUBNET_COUNT, SYNC_COMMITTEE_SUBNET_SIZE } from '@lodestar/params'
import { computeEpochAtSlot, computeSigningRoot, getAttestationDataSigningRoot } from '@lodestar/state-transition'
import { ssz } from '@lodestar/types'
import type { AttestationPool } from './attestation-pool.ts'
import type { BeaconChain } from './chain.ts'
import type { LocalKeys } from './local-keys.ts'
import type { BlockProducer } from './producer.ts'
import type { StoredBlock } from './store.ts'
import { syncCommitteeOf, syncSigningRoot } from './sync-committee.ts'
import type { SyncPool } from './sync-pool.ts'

const GRAFFITI = new Uint8Array(32)
GRAFFITI.set(new TextEncoder().encode('local chain'))

/** What the chain's own validators do in a slot. */
export class LocalDuties {
  readonly #chain: BeaconChain
  readonly #producer: BlockProducer
  readonly #attestations: AttestationPool
  readonly #sync: SyncPool
  readonly #keys: LocalKeys

  constructor(options: {
    readonly chain: BeaconChain
    readonly producer: BlockProducer
    readonly attestations: AttestationPool
    readonly sync: SyncPool
    readonly keys: LocalKeys
  }) {
    this.#chain = options.chain
    this.#producer = options.producer
    this.#attestations = options.attestations
    this.#sync = options.sync
    this.#keys = options.keys
  }

  /**
   * Proposes the slot's block if its proposer is local. A slashed proposer has no valid block to make, and a slot
   * that is over before its turn comes is left empty. A block that takes longer than its slot still counts:
   * refusing it would stop the chain for good, as the next one would hold the same transactions.
   */
  async propose(slot: number): Promise<StoredBlock | undefined> {
    const { config } = this.#chain
    return await this.#chain.serial.run(async () => {
      if (slot < this.#chain.clock.slot) return undefined
      const state = this.#chain.states.advanced(this.#chain.head, slot)
      const proposer = state.epochCtx.getBeaconProposer(slot)
      if (!this.#keys.has(proposer) || state.validators.getReadonly(proposer).slashed) return undefined
      const epoch = computeEpochAtSlot(slot)
      const randaoRoot = computeSigningRoot(ssz.Epoch, epoch, config.getDomain(slot, DOMAIN_RANDAO, slot))
      const { block } = await this.#producer.produce({
        slot,
        randaoReveal: this.#keys.sign(proposer, randaoRoot),
        graffiti: GRAFFITI,
      })
      const root = computeSigningRoot(ssz.electra.BeaconBlock, block, config.getDomain(slot, DOMAIN_BEACON_PROPOSER, slot))
      return await this.#chain.importNow({ message: block, signature: this.#keys.sign(proposer, root) })
    })
  }

  /** Attests to the head, and signs it for the sync committee. */
  attest(slot: number): void {
    const chain = this.#chain
    const data = chain.attestationData(slot)
    const state = chain.states.at(slot)
    const signingRoot = getAttestationDataSigningRoot(chain.config, slot, data)
    const committees = state.epochCtx.getCommitteeCountPerSlot(computeEpochAtSlot(slot))
    for (let committeeIndex = 0; committeeIndex < committees; committeeIndex++) {
      const committee = [...state.epochCtx.getBeaconCommittee(slot, committeeIndex)]
      const local = committee.filter((index) => this.#keys.has(index))
      if (local.length === 0) continue
      const bits = BitArray.fromBoolArray(committee.map((index) => this.#keys.has(index)))
      this.#attestations.add({ data, committeeIndex, bits, signature: this.#keys.signTogether(local, signingRoot) })
    }

    const root = chain.head.root
    const syncRoot = syncSigningRoot(chain, slot, root)
    const { validatorIndices } = syncCommitteeOf(state, slot)
    for (let subcommittee = 0; subcommittee < SYNC_COMMITTEE_SUBNET_COUNT; subcommittee++) {
      const from = subcommittee * SYNC_COMMITTEE_SUBNET_SIZE
      const members = [...validatorIndices.subarray(from, from + SYNC_COMMITTEE_SUBNET_SIZE)]
      const positions = members.flatMap((index, i) => (this.#keys.has(index) ? [from + i] : []))
      if (positions.length === 0) continue
      const signers = members.filter((index) => this.#keys.has(index))
      this.#sync.add(slot, root, { positions, signature: this.#keys.signTogether(signers, syncRoot) })
    }
  }
}
