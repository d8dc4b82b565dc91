import type { JudgedDuty } from '../../../../operator/core/duties.ts'
import type { BlsSignature, PoolId, Root, Slot } from '../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import { aggregateSignatures } from '../../../../operator/protocol/bls/signatures.ts'
import { type CertifiedDuty, certificateDigest, type DutyCertificate } from '../../../../operator/protocol/messages/certificate.ts'
import { INSTANCE_CODES } from '../../../../operator/protocol/qbft/types.ts'
import { sha } from '../crypto.ts'
import { type Block, PROPOSAL_AT, type UpkeepChain, VAULT } from './chain.ts'
import type { Keys } from './keys.ts'
import { SLOTS_PER_EPOCH } from './plan.ts'

export const CERTIFICATE_DOMAIN = sha('certificates') as Root
const POOL_IDS = [1, 2, 3]

const dataRoot = (slot: number, pool: number): Root => sha('data', slot, pool) as Root
export const signingRoots = {
  attestationRoot: (target: number, data: Root) => sha('attestation root', target, data) as Root,
  block: (slot: Slot, root: Root) => sha('block root', slot, root) as Root,
} as unknown as BeaconNode['signingRoots']

/** Validator i is pool i's; each votes once an epoch, at a slot of its own, and pool 1 proposes. */
const voteSlot = (epoch: number, pool: number): number => epoch * SLOTS_PER_EPOCH + (pool % SLOTS_PER_EPOCH)

export function attesterDuties(epoch: number, indices: readonly number[]) {
  const duties = indices.map((validatorIndex) => ({
    validatorIndex,
    slot: voteSlot(epoch, validatorIndex),
    committeeIndex: 0,
    committeeLength: 8,
    committeesAtSlot: 1,
    validatorCommitteeIndex: validatorIndex,
  }))
  return { dependentRoot: sha('dependent', epoch) as Root, duties } as never
}

export function proposerDuties(epoch: number) {
  return {
    dependentRoot: sha('dependent', epoch) as Root,
    duties: [{ validatorIndex: 1, slot: epoch * SLOTS_PER_EPOCH + PROPOSAL_AT }],
  } as never
}

/** Votes of the slots since the block before, but for a few that are lost. */
export function includedAttesters(chain: UpkeepChain, { slot, parentRoot }: Block) {
  const since = chain.blocks.find(({ root }) => root === parentRoot)?.slot ?? 0
  return POOL_IDS.flatMap((pool) => {
    const at = [slot - 1, slot - 2, slot - 3, slot - 4].find(
      (one) => one >= since && one >= 0 && one % SLOTS_PER_EPOCH === pool % SLOTS_PER_EPOCH,
    )
    if (at === undefined || BigInt(sha('lost', at, pool)) % 12n === 0n) return []
    return [{ slot: at as Slot, committeeIndex: 0, positions: [pool], root: dataRoot(at, pool) }]
  })
}

/** The duties of an epoch as the chain shows them in the end. */
export function trueDuties(chain: UpkeepChain, epoch: number): readonly JudgedDuty[] {
  const votes = POOL_IDS.map((pool): JudgedDuty => {
    const slot = voteSlot(epoch, pool) as Slot
    const blocks = chain.blocks.filter((block) => block.slot > slot && block.slot < (epoch + 2) * SLOTS_PER_EPOCH)
    const isIncluded = blocks.some((block) => includedAttesters(chain, block).some((one) => one.slot === slot && one.positions[0] === pool))
    const signingRoot = isIncluded ? signingRoots.attestationRoot(epoch as never, dataRoot(slot, pool)) : undefined
    return { poolId: pool as PoolId, type: 'attestation', slot, signingRoot }
  })
  const slot = (epoch * SLOTS_PER_EPOCH + PROPOSAL_AT) as Slot
  const block = chain.blocks.find((one) => one.slot === slot)
  const proposal: JudgedDuty = {
    ...{ poolId: 1 as PoolId, type: 'proposal', slot },
    signingRoot: block && signingRoots.block(slot, block.root),
  }
  return slot === 0 ? votes : [...votes, proposal]
}

/** The certificate of a duty by these places of the vault. */
export function certificateOf(keys: Keys, duty: JudgedDuty & { readonly signingRoot: Root }, places: readonly number[]): DutyCertificate {
  const of: CertifiedDuty = {
    ...{ poolId: duty.poolId, round: 0, slot: duty.slot, signingRoot: duty.signingRoot },
    dutyType: INSTANCE_CODES[duty.type],
  }
  const digest = certificateDigest(CERTIFICATE_DOMAIN, of)
  const signatures = places.map((place): BlsSignature => keys.of(VAULT[place] ?? (1 as never)).sign(digest))
  return {
    ...of,
    participation: places.reduce((bits, place) => bits | (1n << BigInt(place)), 0n),
    signature: aggregateSignatures(signatures),
  }
}
