import type { P2pNetwork } from '../adapters/p2p/network.ts'
import type { Address, Milliseconds, ProducerId } from '../core/ids.ts'
import { type CommitmentPhase, type NetworkState, poolsOf } from '../core/network.ts'
import type { ChainFollower } from '../core/ports/chain.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { EndpointHealth } from '../core/ports/health.ts'
import type { ShareSigner } from '../core/ports/signer.ts'
import type { DutyRecord } from '../duties/tracker.ts'
import { pointsIn } from '../protocol/state/pages.ts'
import type { BeaconHub } from './beacon-hub.ts'
import type { CeremonyStatistics } from './ceremony-statistics.ts'
import { ceremonyStatus } from './ceremony-status.ts'
import type { DutyStatistics } from './duty-statistics.ts'
import type { CertificateCounts, OperatorStatus, PoolStatus } from './status.ts'

/** Parts of a node, as they come up. */
export type StatusSources = {
  readonly operator: Address
  readonly clock: Clock
  readonly statistics: DutyStatistics
  readonly ceremonies: CeremonyStatistics
  readonly shares: ShareSigner
  readonly self?: ProducerId
  readonly beacon?: BeaconHub
  readonly execution?: { health(): EndpointHealth }
  readonly chain?: ChainFollower
  readonly network?: P2pNetwork
  readonly certificates?: { counts(): CertificateCounts }
  readonly dutyRecords?: () => readonly DutyRecord[]
}

export type StatusBoard = {
  /** Names what the process is doing, or waiting for. */
  enter(state: string): void
  add(sources: Partial<StatusSources>): void
  read(): OperatorStatus
}

export const RUNNING = 'running'
/** Behind by more than this many slots, or an epoch where that is more, a node is not synced. */
const SLOTS_BEHIND = 8
const MISSED_SHOWN = 10

/** Collects the parts of a node as they come up and tells how it is at any moment. */
export function createStatusBoard(first: StatusSources): StatusBoard {
  let sources = first
  let state = 'starting'
  const startedAt = first.clock.now()
  /** When the chain last moved on, as its follower saw it. */
  let movedAt = startedAt
  return {
    enter(next) {
      state = next
    },
    add(more) {
      sources = { ...sources, ...more }
      const moved = (): void => {
        movedAt = sources.clock.now()
      }
      moved()
      more.chain?.onChange(moved)
    },
    read: () => statusOf({ ...sources, state, startedAt, movedAt }),
  }
}

type Snapshot = StatusSources & { readonly state: string; readonly startedAt: Milliseconds; readonly movedAt: Milliseconds }

function statusOf(sources: Snapshot): OperatorStatus {
  const { state, operator, self, beacon, chain, network, startedAt } = sources
  const view = chain?.view()
  const { head, finalized } = beacon?.latest() ?? {}
  const notReady = state === RUNNING ? reasonsAgainst(sources) : [`the operator is ${state}`]
  const peers = network?.status() ?? []
  const { counts, missedBecause, ...durations } = sources.statistics.summary()
  const lastMissed = (sources.dutyRecords?.() ?? []).filter((record) => record.state === 'missed').slice(-MISSED_SHOWN)
  return {
    state,
    ready: notReady.length === 0,
    notReady,
    producerId: self ?? null,
    operator,
    peersConnected: peers.filter(({ connected }) => connected).length,
    peersKnown: peers.length,
    head: { slot: head?.slot ?? null, block: view?.headBlock ?? null },
    finalized: { epoch: finalized?.epoch ?? null, block: view?.finalizedBlock ?? null },
    endpoints: { beacon: healthOf(beacon, startedAt), execution: healthOf(sources.execution, startedAt) },
    pools: view === undefined || self === undefined ? [] : poolStatuses(view.head, self, sources.shares),
    ceremonies: sources.ceremonies.ceremonies().map((record) => ceremonyStatus(record, { state: view?.head, spec: beacon?.spec })),
    duties: { ...counts, missedBecause, lastMissed },
    dkgMs: sources.ceremonies.durations(),
    ...durations,
    certificates: sources.certificates?.counts() ?? { made: 0, received: 0, merged: 0, refused: 0 },
    commitments: commitmentCounts(view?.head),
    lastPoints: view === undefined || self === undefined ? null : lastPoints(view.head, self),
  }
}

const healthOf = (endpoint: { health(): EndpointHealth } | undefined, startedAt: Milliseconds): EndpointHealth =>
  endpoint?.health() ?? { state: 'unknown', since: startedAt, reason: 'it has not answered since this operator started' }

function reasonsAgainst({ beacon, execution, network, clock, movedAt, startedAt }: Snapshot): readonly string[] {
  const reasons: string[] = []
  const down = (name: string, { state, reason }: EndpointHealth): void => {
    if (state !== 'up') reasons.push(`${name} is ${state === 'otherChain' ? 'on another chain' : 'down'}: ${reason}`)
  }
  down('the beacon node', healthOf(beacon, startedAt))
  down('the execution client', healthOf(execution, startedAt))
  if (beacon !== undefined) {
    const { genesisTimeMs, slotDurationMs, slotsPerEpoch } = beacon.spec
    const mostBehind = Math.max(SLOTS_BEHIND, slotsPerEpoch)
    const slot = Math.floor((clock.now() - genesisTimeMs) / slotDurationMs)
    const head = beacon.latest().head?.slot ?? 0
    if (slot - head > mostBehind) reasons.push(`the beacon node's head is ${slot - head} slots old`)
    if (clock.now() - movedAt > mostBehind * slotDurationMs) reasons.push('the execution client shows no new block')
  }
  if (network === undefined || network.addresses().length === 0) reasons.push('the network is not listening')
  return reasons
}

function poolStatuses(state: NetworkState, self: ProducerId, shares: ShareSigner): readonly PoolStatus[] {
  const held = new Map(shares.pools().map(({ poolId, groupKey }) => [poolId, groupKey]))
  return poolsOf(state, self).map((pool) => ({
    poolId: pool.id,
    kind: pool.kind,
    phase: pool.phase,
    round: pool.round,
    memberIndex: (pool.members.indexOf(self) + 1) as PoolStatus['memberIndex'],
    publicKey: pool.publicKey ?? null,
    validatorIndex: pool.validatorIndex ?? null,
    share: pool.publicKey !== undefined && held.get(pool.id) === pool.publicKey,
  }))
}

/** What the newest report whose pages are all in says of a producer. */
function lastPoints(state: NetworkState, self: ProducerId): OperatorStatus['lastPoints'] {
  const posted = [...state.commitments.values()].filter(({ phase }) => phase === 'pending' || phase === 'finalized')
  const last = posted.toSorted((a, b) => b.epoch - a.epoch)[0]
  const points = last && pointsIn(last.pointPages, self)
  return last === undefined || points === undefined ? null : { epoch: last.epoch, points }
}

function commitmentCounts(state: NetworkState | undefined): OperatorStatus['commitments'] {
  const counts: Record<CommitmentPhase, number> = { open: 0, pending: 0, disputed: 0, finalized: 0, dropped: 0 }
  let lastEpoch: OperatorStatus['commitments']['lastEpoch'] = null
  for (const { phase, epoch } of state?.commitments.values() ?? []) {
    counts[phase]++
    if (phase !== 'dropped' && (lastEpoch === null || epoch > lastEpoch)) lastEpoch = epoch
  }
  return { ...counts, lastEpoch }
}
