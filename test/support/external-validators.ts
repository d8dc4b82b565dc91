import { SecretKey } from '@chainsafe/blst'
import { type ApiClient, WireFormat } from '@lodestar/api'
import type { BeaconConfig } from '@lodestar/config'
import {
  DOMAIN_AGGREGATE_AND_PROOF,
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_BEACON_PROPOSER,
  DOMAIN_CONTRIBUTION_AND_PROOF,
  DOMAIN_DEPOSIT,
  DOMAIN_RANDAO,
  DOMAIN_SELECTION_PROOF,
  DOMAIN_SYNC_COMMITTEE,
  DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF,
  SLOTS_PER_EPOCH,
  SYNC_COMMITTEE_SUBNET_SIZE,
} from '@lodestar/params'
import { computeDomain, computeSigningRoot } from '@lodestar/state-transition'
import { type electra, type phase0, ssz } from '@lodestar/types'

type Key = { readonly secret: SecretKey; readonly pubkey: Uint8Array }

/** A validator client for whole keys that knows a beacon node by nothing but its API. */
export class ExternalValidators {
  readonly keys: readonly Key[]
  readonly #client: ApiClient
  readonly #config: BeaconConfig
  /** Keys by validator index, as far as active ones are known. */
  readonly active = new Map<number, Key>()
  readonly proposed: number[] = []
  readonly attested: number[] = []
  readonly errors: string[] = []

  constructor(options: { readonly client: ApiClient; readonly config: BeaconConfig; readonly count: number; readonly seed: number }) {
    this.#client = options.client
    this.#config = options.config
    this.keys = Array.from({ length: options.count }, (_, i) => {
      const secret = SecretKey.fromKeygen(new Uint8Array(32).fill(options.seed + i))
      return { secret, pubkey: secret.toPublicKey().toBytes() }
    })
  }

  /** Deposit data of 32 ETH for every key, with the withdrawal credentials given. */
  deposits(withdrawalCredentials: Uint8Array): phase0.DepositData[] {
    return this.keys.map(({ secret, pubkey }) => {
      const message = { pubkey, withdrawalCredentials, amount: 32_000_000_000 }
      const domain = computeDomain(DOMAIN_DEPOSIT, this.#config.GENESIS_FORK_VERSION, new Uint8Array(32))
      return { ...message, signature: secret.sign(computeSigningRoot(ssz.phase0.DepositMessage, message, domain)).toBytes() }
    })
  }

  /** Does the duties of one slot: the block if it is ours, then attestations, aggregates and sync committee work. */
  async runSlot(slot: number): Promise<void> {
    try {
      await this.#refresh()
      if (this.active.size === 0) return
      await this.propose(slot)
      await this.attest(slot)
      await this.signForSyncCommittee(slot)
    } catch (error) {
      this.errors.push(`slot ${slot}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async propose(slot: number): Promise<void> {
    const epoch = Math.floor(slot / SLOTS_PER_EPOCH)
    const duties = (await this.#client.validator.getProposerDuties({ epoch })).value()
    const index = duties.find((duty) => duty.slot === slot)?.validatorIndex
    if (index === undefined || !this.active.has(index)) return
    const randaoReveal = this.sign(index, { type: ssz.Epoch, value: epoch, domain: DOMAIN_RANDAO, slot })
    // Both formats of the API take turns.
    const format = slot % 2 === 0 ? WireFormat.json : WireFormat.ssz
    const answer = await this.#client.validator.produceBlockV3({ slot, randaoReveal, graffiti: 'external' }, { responseWireFormat: format })
    const { block, kzgProofs, blobs } = answer.value() as electra.BlockContents
    const signature = this.sign(index, { type: ssz.electra.BeaconBlock, value: block, domain: DOMAIN_BEACON_PROPOSER, slot })
    ;(
      await this.#client.beacon.publishBlockV2({ signedBlockContents: { signedBlock: { message: block, signature }, kzgProofs, blobs } })
    ).assertOk()
    this.proposed.push(slot)
  }

  async attest(slot: number): Promise<void> {
    const epoch = Math.floor(slot / SLOTS_PER_EPOCH)
    const indices = [...this.active.keys()]
    const duties = (await this.#client.validator.getAttesterDuties({ epoch, indices })).value().filter((duty) => duty.slot === slot)
    if (duties.length === 0) return
    const data = (await this.#client.validator.produceAttestationData({ committeeIndex: 0, slot })).value()
    const signedAttestations = duties.map(({ validatorIndex, committeeIndex }) => ({
      committeeIndex,
      attesterIndex: validatorIndex,
      data,
      signature: this.sign(validatorIndex, { type: ssz.phase0.AttestationData, value: data, domain: DOMAIN_BEACON_ATTESTER, slot }),
    }))
    ;(await this.#client.beacon.submitPoolAttestationsV2({ signedAttestations })).assertOk()
    this.attested.push(slot)
    const attestationDataRoot = ssz.phase0.AttestationData.hashTreeRoot(data)
    for (const { validatorIndex: aggregatorIndex, committeeIndex } of duties.slice(0, 1)) {
      const aggregate = (
        await this.#client.validator.getAggregatedAttestationV2({ attestationDataRoot, slot, committeeIndex })
      ).value() as electra.Attestation
      const selectionProof = this.sign(aggregatorIndex, { type: ssz.Slot, value: slot, domain: DOMAIN_SELECTION_PROOF, slot })
      const message = { aggregatorIndex, aggregate, selectionProof }
      const signature = this.sign(aggregatorIndex, {
        type: ssz.electra.AggregateAndProof,
        value: message,
        domain: DOMAIN_AGGREGATE_AND_PROOF,
        slot,
      })
      ;(await this.#client.validator.publishAggregateAndProofsV2({ signedAggregateAndProofs: [{ message, signature }] })).assertOk()
    }
  }

  async signForSyncCommittee(slot: number): Promise<void> {
    const epoch = Math.floor(slot / SLOTS_PER_EPOCH)
    const duties = (await this.#client.validator.getSyncCommitteeDuties({ epoch, indices: [...this.active.keys()] })).value()
    const [first] = duties
    if (first === undefined) return
    const beaconBlockRoot = (await this.#client.beacon.getBlockRoot({ blockId: 'head' })).value().root
    const signatures = duties.map(({ validatorIndex }) => ({
      slot,
      beaconBlockRoot,
      validatorIndex,
      signature: this.sign(validatorIndex, { type: ssz.Root, value: beaconBlockRoot, domain: DOMAIN_SYNC_COMMITTEE, slot }),
    }))
    ;(await this.#client.beacon.submitPoolSyncCommitteeSignatures({ signatures })).assertOk()

    const subcommitteeIndex = Math.floor((first.validatorSyncCommitteeIndices[0] ?? 0) / SYNC_COMMITTEE_SUBNET_SIZE)
    const aggregatorIndex = first.validatorIndex
    const contribution = (
      await this.#client.validator.produceSyncCommitteeContribution({ slot, subcommitteeIndex, beaconBlockRoot })
    ).value()
    const selection = { type: ssz.altair.SyncAggregatorSelectionData, value: { slot, subcommitteeIndex }, slot }
    const selectionProof = this.sign(aggregatorIndex, { ...selection, domain: DOMAIN_SYNC_COMMITTEE_SELECTION_PROOF })
    const message = { aggregatorIndex, contribution, selectionProof }
    const outer = { type: ssz.altair.ContributionAndProof, value: message, domain: DOMAIN_CONTRIBUTION_AND_PROOF, slot }
    const contributionAndProofs = [{ message, signature: this.sign(aggregatorIndex, outer) }]
    ;(await this.#client.validator.publishContributionAndProofs({ contributionAndProofs })).assertOk()
  }

  sign<T>(
    index: number,
    what: {
      readonly type: { readonly hashTreeRoot: (value: T) => Uint8Array }
      readonly value: T
      readonly domain: Uint8Array
      readonly slot: number
    },
  ): Uint8Array {
    const key = this.active.get(index)
    if (key === undefined) throw new Error(`Validator ${index} is not active or not ours`)
    const root = what.type.hashTreeRoot(what.value)
    return key.secret.sign(computeSigningRoot(ssz.Root, root, this.#config.getDomain(what.slot, what.domain, what.slot))).toBytes()
  }

  async #refresh(): Promise<void> {
    const answer = await this.#client.beacon.postStateValidators({
      stateId: 'head',
      validatorIds: this.keys.map(({ pubkey }) => `0x${Buffer.from(pubkey).toString('hex')}`),
      statuses: ['active_ongoing', 'active_exiting'],
    })
    this.active.clear()
    for (const { index, validator } of answer.value()) {
      const key = this.keys.find(({ pubkey }) => Buffer.compare(pubkey, validator.pubkey) === 0)
      if (key !== undefined) this.active.set(index, key)
    }
  }
}
