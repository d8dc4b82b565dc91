import { OpenPoolsError } from '../errors.ts'
import type { BlsSignature, Epoch, Gwei, Hex, PublicKey, Root, Slot, ValidatorIndex } from '../ids.ts'

/**
 * Why a beacon node did not give what was asked: UNREACHABLE (no connection), TIMEOUT, NOT_FOUND (it does not have it),
 * REFUSED (it answered with an error; `data.status` is the HTTP status), OTHER_CHAIN (genesis is not the one we started
 * with), MALFORMED (an answer, or a peer's block, that the specification does not allow), WRONG_ENDPOINT (an execution client
 * answers at its URL).
 */
export class BeaconError extends OpenPoolsError<
  'UNREACHABLE' | 'TIMEOUT' | 'NOT_FOUND' | 'REFUSED' | 'OTHER_CHAIN' | 'MALFORMED' | 'WRONG_ENDPOINT'
> {}

export type AttesterDuty = {
  readonly publicKey: PublicKey
  readonly validatorIndex: ValidatorIndex
  readonly slot: Slot
  readonly committeeIndex: number
  readonly committeeLength: number
  readonly committeesAtSlot: number
  readonly validatorCommitteeIndex: number
}

export type ProposerDuty = { readonly publicKey: PublicKey; readonly validatorIndex: ValidatorIndex; readonly slot: Slot }

/** Duties of an epoch, valid while the block root that decided them stands. */
export type Duties<D> = { readonly dependentRoot: Root; readonly duties: readonly D[] }

/** Values in consensus-spec JSON field order; `data` is SSZ so that all members hash and sign the same bytes. */
export type AttestationDataValue = {
  readonly slot: Slot
  readonly source: { readonly epoch: Epoch; readonly root: Root }
  readonly target: { readonly epoch: Epoch; readonly root: Root }
  readonly beaconBlockRoot: Root
}

/** A block to agree on: SSZ of the block contents (Electra/Fulu BlockContents or BlindedBeaconBlock) and what validity needs. */
export type ProducedBlock = {
  readonly fork: string
  readonly blinded: boolean
  readonly slot: Slot
  readonly proposerIndex: ValidatorIndex
  readonly parentRoot: Root
  /** Root of the BeaconBlock (blinded or not, the same). */
  readonly blockRoot: Root
  readonly feeRecipient: Hex
  readonly ssz: Uint8Array
}

export type HeadEvent = {
  readonly slot: Slot
  readonly block: Root
  readonly state: Root
  readonly epochTransition: boolean
  readonly previousDutyDependentRoot: Root
  readonly currentDutyDependentRoot: Root
}
export type FinalizedEvent = { readonly epoch: Epoch; readonly block: Root }

export type ValidatorInfo = {
  readonly index: ValidatorIndex
  readonly publicKey: PublicKey
  readonly status: string
  readonly balance: Gwei
  readonly slashed: boolean
  /** Epochs; Infinity stands for FAR_FUTURE_EPOCH. */
  readonly activationEpoch: number
  readonly exitEpoch: number
  readonly withdrawableEpoch: number
}

export type BeaconHeaderInfo = {
  readonly root: Root
  readonly slot: Slot
  readonly proposerIndex: ValidatorIndex
  readonly parentRoot: Root
  readonly stateRoot: Root
  readonly bodyRoot: Root
}

export type ChainSpec = {
  readonly presetBase: string
  readonly genesisTimeMs: number
  readonly genesisValidatorsRoot: Root
  readonly genesisForkVersion: Hex
  readonly slotDurationMs: number
  readonly slotsPerEpoch: number
  readonly epochsPerHistoricalVector: number
  readonly depositChainId: bigint
  /** Every plain value of /eth/v1/config/spec, as served (numbers decimal, bytes hex); lists such as BLOB_SCHEDULE are left out. */
  readonly values: Readonly<Record<string, string>>
}

/** The standard Beacon REST API, as the workflows use it. Every call may throw `BeaconError` (unreachable, not found, refused, other chain). */
export type BeaconNode = {
  readonly spec: ChainSpec
  attesterDuties(epoch: Epoch, indices: readonly ValidatorIndex[], signal?: AbortSignal): Promise<Duties<AttesterDuty>>
  proposerDuties(epoch: Epoch, signal?: AbortSignal): Promise<Duties<ProposerDuty>>
  attestationData(slot: Slot, committeeIndex: number, signal?: AbortSignal): Promise<AttestationDataValue>
  produceBlock(slot: Slot, randaoReveal: BlsSignature, signal?: AbortSignal): Promise<ProducedBlock>
  /** Names the fee recipient of blocks produced for these validators. */
  prepareProposers(
    entries: readonly { readonly validatorIndex: ValidatorIndex; readonly feeRecipient: Hex }[],
    signal?: AbortSignal,
  ): Promise<void>
  publishAttestation(
    attestation: { readonly data: AttestationDataValue; readonly duty: AttesterDuty; readonly signature: BlsSignature },
    signal?: AbortSignal,
  ): Promise<void>
  publishBlock(block: ProducedBlock, signature: BlsSignature, signal?: AbortSignal): Promise<void>
  publishExit(
    exit: { readonly epoch: Epoch; readonly validatorIndex: ValidatorIndex; readonly signature: BlsSignature },
    signal?: AbortSignal,
  ): Promise<void>
  /** Signing roots, by the fork schedule of this chain. */
  signingRoots: {
    attestation(data: AttestationDataValue): Root
    /** Of the AttestationData that has this root and a target of this epoch. */
    attestationRoot(target: Epoch, dataRoot: Root): Root
    block(slot: Slot, blockRoot: Root): Root
    randao(epoch: Epoch): Root
    /** EIP-7044: always the Capella domain. */
    exit(epoch: Epoch, validatorIndex: ValidatorIndex): Root
    /** Genesis fork version, zero genesis validators root. */
    deposit(message: { readonly publicKey: PublicKey; readonly withdrawalCredentials: Root; readonly amount: Gwei }): Root
  }
  /** Recovers block facts from the SSZ that a peer proposed. Throws on anything that is not a block of that fork. */
  decodeBlock(block: { readonly fork: string; readonly blinded: boolean; readonly ssz: Uint8Array }): ProducedBlock
  validators(ids: readonly (PublicKey | ValidatorIndex)[], stateId: string, signal?: AbortSignal): Promise<readonly ValidatorInfo[]>
  header(blockId: string, signal?: AbortSignal): Promise<BeaconHeaderInfo | undefined>
  /** Execution payload facts of a block: number, hash, timestamp. */
  executionPayload(
    blockId: string,
    signal?: AbortSignal,
  ): Promise<{ readonly number: number; readonly hash: Root; readonly timestamp: number } | undefined>
  /** Full state by id, as SSZ with its fork's name. */
  stateSsz(stateId: string, signal?: AbortSignal): Promise<{ readonly fork: string; readonly bytes: Uint8Array } | undefined>
  /** Attestations a block holds, expanded to which committee positions of a slot it includes. `root`: of the AttestationData. */
  includedAttesters(
    blockId: string,
    signal?: AbortSignal,
  ): Promise<
    readonly { readonly slot: Slot; readonly committeeIndex: number; readonly positions: readonly number[]; readonly root: Root }[]
  >
  finality(signal?: AbortSignal): Promise<{
    readonly justified: { readonly epoch: Epoch; readonly root: Root }
    readonly finalized: { readonly epoch: Epoch; readonly root: Root }
  }>
  /** Follows head and finality until the signal aborts; reconnects by itself. */
  follow(
    handlers: { readonly onHead: (event: HeadEvent) => void; readonly onFinalized: (event: FinalizedEvent) => void },
    signal: AbortSignal,
  ): void
}
