import type { Address, BlsSignature, Epoch, MemberIndex, PoolId, ProducerId, PublicKey, Root, Slot, ValidatorIndex } from '../core/ids.ts'
import type { AttesterDuty } from '../core/ports/beacon.ts'

/** A pool in whose vault this producer sits and whose validator the beacon chain knows. */
export type DutyPool = {
  readonly poolId: PoolId
  /** The ceremony round that made this vault. */
  readonly round: number
  /** Producers of the vault in member order, and their operator addresses. */
  readonly members: readonly ProducerId[]
  readonly operators: readonly Address[]
  readonly self: MemberIndex
  /** Quorum of QBFT and signing threshold, ⌈2n/3⌉. */
  readonly quorum: number
  readonly groupKey: PublicKey
  /** In member order, as the BLS signing keys of the members. */
  readonly signingKeys: readonly PublicKey[]
  readonly publicShares: readonly PublicKey[]
  readonly validatorIndex: ValidatorIndex
  /** Withdrawal vault of the pool's kind: whom its blocks must pay. */
  readonly feeRecipient: Address
}

/** The pools to serve in an epoch, each with the vault whose epoch it is, as far as is known now. Asked at every slot. */
export type DutyPools = { at(epoch: Epoch): readonly DutyPool[] }

/** Exits that are due (a liquidation drawn, final). All members must name the same epoch, so it comes from the chain. */
export type ExitRequests = { due(): readonly { readonly poolId: PoolId; readonly epoch: Epoch }[] }

/** Codes of duty types in messages; those of QBFT are `INSTANCE_CODES`. */
export const DUTY_CODES = { attestation: 1, proposal: 2, randao: 3, exit: 4 } as const
export type DutyType = keyof typeof DUTY_CODES

export type AttestationDuty = {
  readonly type: 'attestation'
  readonly pool: DutyPool
  readonly slot: Slot
  readonly attester: AttesterDuty
}
export type ProposalDuty = { readonly type: 'proposal'; readonly pool: DutyPool; readonly slot: Slot }
/** The RANDAO reveal that a proposal needs, signed as soon as the proposal is known. */
export type RandaoDuty = { readonly type: 'randao'; readonly pool: DutyPool; readonly slot: Slot }
/** `slot` is 0: a pool exits once. */
export type ExitDuty = { readonly type: 'exit'; readonly pool: DutyPool; readonly slot: Slot; readonly epoch: Epoch }
export type Duty = AttestationDuty | ProposalDuty | RandaoDuty | ExitDuty

/** Names a duty among all others. */
export function dutyId({ type, pool, slot }: Pick<Duty, 'type' | 'pool' | 'slot'>): string {
  return `${pool.poolId}/${slot}/${type}`
}

/** A value agreed on, with the QBFT round that decided it (0: nothing to agree on, the chain says it). */
export type Agreed<V> = { readonly value: V; readonly round: number }

/** A partial signature, what it signs, and the signing key's signature over the duty's certificate, once it has one. */
export type Signed = { readonly root: Root; readonly partial: BlsSignature; readonly certified: BlsSignature | undefined }
/** The own partial signature, and what signs the duty's certificate when there is time for it. */
export type OwnSigned = Pick<Signed, 'root' | 'partial'> & { readonly certify: (() => BlsSignature) | undefined }

/** Threshold signatures: BLS in production. `verify` is false, and `combine` throws, on malformed input. */
export type ThresholdScheme = {
  combine(partials: readonly { readonly index: MemberIndex; readonly signature: BlsSignature }[], threshold: number): BlsSignature
  verify(publicKey: PublicKey, root: Root, signature: BlsSignature): boolean
}
