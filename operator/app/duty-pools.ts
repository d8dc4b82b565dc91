import type { ProducerId } from '../core/ids.ts'
import type { NetworkState, Pool } from '../core/network.ts'
import type { ChainFollower, ContractAddresses } from '../core/ports/chain.ts'
import type { PoolShareInfo, ShareSigner } from '../core/ports/signer.ts'
import { memberIndexOf, thresholdOf } from '../core/vault.ts'
import type { DutyPool, DutyPools } from '../duties/types.ts'

const SERVED: readonly Pool['phase'][] = ['funded', 'exiting']

type Sources = {
  readonly self: ProducerId
  readonly chain: ChainFollower
  readonly shares: ShareSigner
  readonly addresses: ContractAddresses
}

/**
 * The pools whose validators this producer serves: funded ones in whose vault it sits and of whose key it holds a share. Made
 * anew only when the chain's state or the shares have changed, since every message of every duty asks for them.
 */
export function createDutyPools({ self, chain, shares, addresses }: Sources): DutyPools {
  let known: { readonly state: NetworkState; readonly held: number; readonly pools: readonly DutyPool[] } | undefined
  return {
    all() {
      const state = chain.view().head
      const held = shares.pools()
      if (known?.state !== state || known.held !== held.length) {
        const pools = held.flatMap((share) => dutyPoolOf({ share, state, self, addresses }) ?? [])
        known = { state, held: held.length, pools }
      }
      return known.pools
    },
  }
}

type Held = {
  readonly share: PoolShareInfo
  readonly state: NetworkState
  readonly self: ProducerId
  readonly addresses: ContractAddresses
}

function dutyPoolOf({ share, state, self, addresses }: Held): DutyPool | undefined {
  const pool = state.pools.get(share.poolId)
  if (pool === undefined || !SERVED.includes(pool.phase)) return undefined
  const { validatorIndex, publicKey, publicShares, members } = pool
  const index = memberIndexOf({ poolId: pool.id, round: pool.round, members }, self)
  // A share of another key or place is of a ceremony that was repeated: this node is not part of what the chain shows.
  if (index === undefined || index !== share.memberIndex || publicKey !== share.groupKey) return undefined
  if (validatorIndex === undefined || publicShares === undefined) return undefined
  const signingKeys = members.flatMap((id) => state.producers.get(id)?.signingKey ?? [])
  const operators = members.flatMap((id) => state.producers.get(id)?.operator ?? [])
  if (operators.length !== members.length) return undefined
  return {
    poolId: pool.id,
    round: pool.round,
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
