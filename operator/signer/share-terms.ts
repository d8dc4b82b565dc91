import type { Epoch, PoolId } from '../core/ids.ts'
import type { VaultTerm } from '../core/network.ts'
import type { KnownTerms } from '../core/ports/signer.ts'
import { vaultInCharge } from '../protocol/state/vaults.ts'
import type { SlashingRule } from './errors.ts'
import type { Share, ShareStore } from './share-store.ts'
import type { SlashingProtection } from './slashing-protection.ts'

/** A handover in which this node has dealt its share. */
export type Dealt = { readonly poolId: PoolId; readonly round: number }

export type Refusal = { readonly rule: SlashingRule; readonly reason: string }

/** Which share may sign for which epoch (protocol §7, cutover). */
export type ShareTerms = {
  learn(terms: KnownTerms): void
  /** Why a share must not sign for an epoch; undefined when it may. */
  refusal(share: Share, epoch: Epoch): Refusal | undefined
  /** The cutover from which a share handed over signs: no source below the two epochs before it. */
  cutoverOf(share: Share): Epoch | undefined
}

const notInCharge = (reason: string): Refusal => ({ rule: 'NOT_IN_CHARGE', reason })

/** `dealt`: handovers in which this node has dealt and which it has not forgotten yet. */
export function createShareTerms(sources: {
  readonly shares: ShareStore
  readonly protection: SlashingProtection
  readonly dealt: () => readonly Dealt[]
}): ShareTerms {
  const { shares, protection, dealt } = sources
  let known: KnownTerms | undefined

  const finalVaults = (poolId: PoolId): readonly VaultTerm[] => known?.finalized.get(poolId)?.vaults ?? []
  const termOf = ({ info }: Share): VaultTerm | undefined => finalVaults(info.poolId).find(({ round }) => round === info.round)

  /**
   * A member that has dealt may be cut off without knowing it: a result that the new vault publishes in an epoch takes over more than a
   * margin after it, so whoever knows all final blocks up to a margin before an epoch knows every cutover up to that epoch.
   */
  const waitsForFinality = ({ info }: Share, epoch: Epoch): Refusal | undefined => {
    const pledged = dealt().filter(({ poolId, round }) => poolId === info.poolId && round > info.round && !isSettled({ poolId, round }))
    if (pledged.length === 0) return undefined
    const needed = epoch - (known?.rotationMargin ?? 0)
    if (known !== undefined && known.finalizedEpoch >= needed) return undefined
    const reason = `dealt in a handover: expected finality up to epoch ${needed} to sign for epoch ${epoch}, got ${known?.finalizedEpoch ?? 'none'}`
    return { rule: 'FINALITY_BEHIND', reason }
  }
  const isSettled = ({ poolId, round }: Dealt): boolean => (known?.finalized.get(poolId)?.endedRound ?? -1) >= round

  const refusal = (share: Share, epoch: Epoch): Refusal | undefined => {
    const { poolId, round } = share.info
    const head = known?.head.get(poolId)
    if (head === undefined || head.vaults.length === 0) {
      if (share.origin === 'handed-over') return notInCharge(`nothing is known of the vaults of pool ${poolId}`)
      return waitsForFinality(share, epoch)
    }
    const term = vaultInCharge({ head, finalized: known?.finalized.get(poolId) }, epoch)
    if (term === undefined) return notInCharge(`the handover that epoch ${epoch} falls to is not final`)
    if (term.round !== round)
      return notInCharge(`epoch ${epoch} is that of the vault of round ${term.round}, the share is of round ${round}`)
    return waitsForFinality(share, epoch)
  }

  /** A share whose term is over, all of it known as final, or that will never have one. */
  const isOver = ({ info, origin }: Share, finalizedEpoch: Epoch): boolean => {
    const vaults = finalVaults(info.poolId)
    const at = vaults.findIndex(({ round }) => round === info.round)
    if (at < 0) return origin === 'handed-over' && isSettled(info)
    const next = vaults[at + 1]
    return next !== undefined && finalizedEpoch >= next.from
  }

  const floored = new Set<Share>()
  /** The record of a share begins at its cutover; while an earlier share may still have duties of before, only by its term. */
  const raiseFloors = (slotsPerEpoch: number): void => {
    for (const share of shares.list()) {
      const { poolId, round, groupKey } = share.info
      const from = termOf(share)?.from ?? 0
      if (from === 0 || floored.has(share)) continue
      const hasEarlier = shares.list().some(({ info }) => info.poolId === poolId && info.round < round)
      if (hasEarlier) continue
      protection.raiseFloor(groupKey, { sourceEpoch: from - 2, targetEpoch: from - 1, slot: from * slotsPerEpoch - 1 })
      floored.add(share)
    }
  }

  return {
    learn(terms) {
      known = terms
      for (const { info } of shares.list().filter((share) => isOver(share, terms.finalizedEpoch))) shares.remove(info.poolId, info.round)
      raiseFloors(terms.slotsPerEpoch)
    },
    refusal,
    cutoverOf: (share) => {
      const from = termOf(share)?.from ?? 0
      return from === 0 ? undefined : (from as Epoch)
    },
  }
}
