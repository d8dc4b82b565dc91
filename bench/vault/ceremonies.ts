import { startCeremonies } from '../../operator/ceremonies/service.ts'
import type { Epoch, PoolId, ProducerId } from '../../operator/core/ids.ts'
import type { NetworkState, Pool, Producer } from '../../operator/core/network.ts'
import { toAddress, toRoot } from '../../operator/core/parse.ts'
import type { BeaconNode } from '../../operator/core/ports/beacon.ts'
import { type ChainFollower, CONTRACTS, type ContractAddresses, type Contracts } from '../../operator/core/ports/chain.ts'
import type { Clock } from '../../operator/core/ports/clock.ts'
import type { Log } from '../../operator/core/ports/log.ts'
import type { Network } from '../../operator/core/ports/network.ts'
import type { JobQueue } from '../../operator/core/ports/queue.ts'
import { aggregateSignatures, verifyEach, verifySignature } from '../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../operator/protocol/bls/threshold.ts'
import { ecdsaVerifier } from '../../operator/protocol/messages/ecdsa.ts'
import { emptyState } from '../../operator/protocol/state/network-state.ts'
import type { Signer } from '../../operator/signer/open.ts'
import { benchSigningRoots } from './beacon.ts'
import type { Card, Notice, Registered } from './protocol.ts'
import { benchSpec } from './spec.ts'

/** Epochs that a ceremony has before its roll is called: more than any takes here. */
const DEADLINE_EPOCHS = 10

export const ADDRESSES = Object.fromEntries(
  CONTRACTS.map((name, at) => [name, toAddress(`0x${(at + 1).toString(16).padStart(40, '0')}`)]),
) as ContractAddresses

/** Runs a job as soon as it is added: the shipped queue takes some 4 ms more to pick one up. */
function directQueue(signal: AbortSignal, log: Log): JobQueue {
  let handle: Parameters<JobQueue['process']>[2] | undefined
  return {
    add: async (_, id, data) => {
      handle?.({ id, data, attempt: 1 }, signal).catch((error: unknown) => log.error('job failed', { id, reason: String(error) }))
    },
    process: (_, __, handler) => {
      handle = handler
    },
    close: async () => {},
  }
}

/** The shipped ceremonies over real keys, disk and network; the chain is what the bench says. */
export function startBenchCeremonies(options: {
  readonly self: ProducerId
  readonly members: readonly Card[]
  readonly slotMs: number
  readonly signer: Signer
  readonly network: Network
  readonly clock: Clock
  readonly log: Log
  readonly tell: (notice: Notice) => void
  readonly signal: AbortSignal
}) {
  const { self, members, signer, network, clock, log, tell, signal } = options
  const spec = benchSpec({ genesisTimeMs: 0, slotMs: options.slotMs })
  const producers = new Map<ProducerId, Producer>(
    members.map((card) => [
      card.id,
      { ...card, owner: toAddress(`0x${'0e'.repeat(20)}`), slashed: false, standing: 'active', registeredAt: 0 },
    ]),
  )
  const drawnAt = new Map<PoolId, number>()
  const listeners = new Set<Parameters<ChainFollower['onChange']>[0]>()
  let state: NetworkState = { ...emptyState(), blockNumber: 1, producers }
  const view = () => ({ head: state, finalized: state, headBlock: 1, finalizedBlock: 1, finalizedTimestamp: 0 })
  const change = (pool: Pool): void => {
    state = { ...state, pools: new Map(state.pools).set(pool.id, pool) }
    for (const listener of [...listeners]) listener({ view: view(), applied: [], finalized: [] })
  }
  const beacon: Pick<BeaconNode, 'spec' | 'signingRoots'> = { spec, signingRoots: benchSigningRoots(spec) }
  const contracts: Pick<Contracts, 'chainId' | 'addresses' | 'send'> = {
    chainId: 1n,
    addresses: ADDRESSES,
    send: async ({ args: [poolId, result] }) => {
      const { groupKey, publicShares } = result as { readonly groupKey: readonly string[]; readonly publicShares: `0x${string}` }
      tell({ kind: 'completed', poolId: poolId as PoolId, groupKey: `0x${groupKey.map((word) => word.slice(2)).join('')}`, publicShares })
      return { status: 'included', hash: toRoot(`0x${'00'.repeat(32)}`), blockNumber: 1, gasUsed: 0n }
    },
  }
  startCeremonies(
    {
      self,
      clock,
      network,
      log,
      beacon: beacon as BeaconNode,
      contracts: contracts as Contracts,
      chain: {
        view,
        onChange: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
      queue: directQueue(signal, log),
      secrets: signer.ceremony,
      operatorKey: signer.operatorKey,
      signingKey: signer.signingKey,
      verifyEcdsa: ecdsaVerifier(),
      scheme: { combine: combinePartials, verify: verifySignature, verifyEach, aggregate: aggregateSignatures },
      disputes: { raise: async () => {} },
      observer: {
        onProgress: () => {},
        onRollCall: () => {},
        onEnded: () => {},
        onSigned: ({ poolId }) => tell({ kind: 'signed', poolId, afterMs: performance.now() - (drawnAt.get(poolId) ?? Number.NaN) }),
      },
    },
    signal,
  )
  return {
    draw(poolId: PoolId): void {
      drawnAt.set(poolId, performance.now())
      const ids = members.map(({ id }) => id)
      const deadline = (Math.floor(clock.now() / (spec.slotsPerEpoch * spec.slotDurationMs)) + DEADLINE_EPOCHS) as Epoch
      const drawn = { phase: 'ceremony', round: 0, members: ids, deadline } as const
      change({ id: poolId, kind: 'staker', ...drawn, exitForced: false, stallProven: false, vaults: [] })
    },
    registered({ poolId, publicKey, publicShares }: Registered): void {
      const pool = state.pools.get(poolId)
      if (pool !== undefined) change({ ...pool, phase: 'registered', publicKey, publicShares })
    },
  }
}
