import type { Epoch, ProducerId } from '../core/ids.ts'
import type { Pool } from '../core/network.ts'
import type { ChainFollower, ChainView, ContractAddresses } from '../core/ports/chain.ts'
import type { PoolShareInfo, ShareSigner } from '../core/ports/signer.ts'
import { memberIndexOf, thresholdOf } from '../core/vault.ts'
import type { DutyPool, DutyPools } from '../duties/types.ts'
import { vaultInCharge } from '../protocol/state/vaults.ts'

const SERVED: readonly Pool['phase'][] = ['funded', 'exiting']
/** More than are asked for at a time: the epoch before, this one and the next. */
const EPOCHS_KEPT = 8

type Sources = {
  readonly self: ProducerId
  readonly chain: ChainFollower
  readonly shares: ShareSigner
  readonly addresses: ContractAddresses
}

/**
 * The pools whose validators this producer serves in an epoch: funded ones of whose vault in that epoch it is a member, with its
 * share. Made anew only when the chain's state or the shares have changed, since every message of every duty asks for them.
 */
export function createDutyPools({ self, chain, shares, addresses }: Sources): DutyPools {
  let known: { readonly view: ChainView; readonly held: string; readonly epochs: Map<Epoch, readonly DutyPool[]> } | undefined
  return {
    at(epoch) {
      const view = chain.view()
      const held = shares.pools()
      const names = held.map(({ poolId, round }) => `${poolId}/${round}`).join()
      if (known?.view.head !== view.head || known.view.finalized !== view.finalized || known.held !== names) {
        known = { view, held: names, epochs: new Map() }
      }
      const cached = known.epochs.get(epoch)
      if (cached !== undefined) return cached
      const pools = held.flatMap((share) => dutyPoolOf({ share, view, self, addresses }, epoch) ?? [])
      const [oldest] = known.epochs.keys()
      if (known.epochs.size >= EPOCHS_KEPT && oldest !== undefined) known.epochs.delete(oldest)
      known.epochs.set(epoch, pools)
      return pools
    },
  }
}

type Held = {
  readonly share: PoolShareInfo
  readonly view: ChainView
  readonly self: ProducerId
  readonly addresses: ContractAddresses
}

function dutyPoolOf({ share, view, self, addresses }: Held, epoch: Epoch): DutyPool | undefined {
  const pool = view.head.pools.get(share.poolId)
  if (pool === undefined || !SERVED.includes(pool.phase)) return undefined
  const { validatorIndex, publicKey } = pool
  const vault = vaultInCharge({ head: pool, finalized: view.finalized.pools.get(share.poolId) }, epoch)
  if (vault === undefined || vault.round !== share.round || validatorIndex === undefined) return undefined
  const { round, members, publicShares } = vault
  const index = memberIndexOf({ poolId: pool.id, round, members }, self)
  // A share of another key or place is of a ceremony that was repeated: this node is not part of what the chain shows.
  if (index === undefined || index !== share.memberIndex || publicKey !== share.groupKey) return undefined
  if (publicShares.join() !== share.publicShares.join()) return undefined
  const signingKeys = members.flatMap((id) => view.head.producers.get(id)?.signingKey ?? [])
  const operators = members.flatMap((id) => view.head.producers.get(id)?.operator ?? [])
  if (operators.length !== members.length) return undefined
  return {
    poolId: pool.id,
    round,
    members,
    operators,
    signingKeys,
    self: index,
    quorum: thresholdOf(members.length),
    groupKey: publicKey,
    publicShares,
    validatorIndex,
    feeRecipient: pool.kind === 'staker' ? addresses.stakerVault : addresses.bondVault,
  }
}
