import type { MemberIndex, ProducerId, ValidatorIndex } from '../../operator/core/ids.ts'
import type { Clock } from '../../operator/core/ports/clock.ts'
import type { Log } from '../../operator/core/ports/log.ts'
import type { Network } from '../../operator/core/ports/network.ts'
import { thresholdOf } from '../../operator/core/vault.ts'
import { DutyService } from '../../operator/duties/service.ts'
import type { DutyPool } from '../../operator/duties/types.ts'
import { aggregateSignatures, fastAggregateVerify, verifySignature } from '../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../operator/protocol/bls/threshold.ts'
import { ecdsaVerifier } from '../../operator/protocol/messages/ecdsa.ts'
import { domainSeparatorOf } from '../../operator/protocol/messages/eip712.ts'
import type { Signer } from '../../operator/signer/open.ts'
import { benchBeacon } from './beacon.ts'
import { ADDRESSES } from './ceremonies.ts'
import type { Card, DutyReport, Registered } from './protocol.ts'
import { benchSpec } from './spec.ts'

/** As on a chain with slots of 12 s. */
const FIRST_ROUND_MS = 2_000

/** The shipped duty service over real keys, disk and network, with a beacon node that answers at once. */
export function startBenchDuties(options: {
  readonly self: ProducerId
  readonly members: readonly Card[]
  readonly pools: readonly Registered[]
  readonly genesisTimeMs: number
  readonly slotMs: number
  readonly signer: Signer
  readonly network: Network
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}): () => DutyReport {
  const { self, members, pools, signer, network, clock, log, signal } = options
  const { node, attestations } = benchBeacon(benchSpec(options), pools)
  const ids = members.map(({ id }) => id)
  const dutyPools: readonly DutyPool[] = pools.map(({ poolId, publicKey, publicShares }, at) => ({
    poolId,
    round: 0,
    members: ids,
    signingKeys: members.map(({ signingKey }) => signingKey),
    operators: members.map(({ operator }) => operator),
    self: (ids.indexOf(self) + 1) as MemberIndex,
    quorum: thresholdOf(ids.length),
    groupKey: publicKey,
    publicShares,
    validatorIndex: at as ValidatorIndex,
    feeRecipient: ADDRESSES.stakerVault,
  }))
  const certificateDomain = domainSeparatorOf({ chainId: 1n, contract: ADDRESSES.disputes })
  const stages: Record<string, number[]> = {}
  const missed: string[] = []
  let roundChanges = 0
  const service = new DutyService({
    clock,
    stopwatch: () => performance.now(),
    beacon: node,
    network,
    signer: signer.shares,
    operatorKey: signer.operatorKey,
    verifyEcdsa: ecdsaVerifier(),
    scheme: { combine: combinePartials, verify: verifySignature },
    certificateSigner: signer.certificates(certificateDomain),
    aggregation: { verify: verifySignature, verifyAll: fastAggregateVerify, aggregate: aggregateSignatures },
    certificates: {
      participation: () => 0n,
      add: () => {},
    },
    pools: { at: () => dutyPools },
    exits: { due: () => [] },
    log,
    metrics: {
      due: () => {},
      latency: () => {},
      completed: () => {},
      included: () => {},
      notIncluded: () => {},
      messageDropped: () => {},
      missed: (_, reason) => missed.push(reason),
      decided: (_, round) => {
        if (round > 1) roundChanges++
      },
      stage: (_, stage, ms) => {
        stages[stage] ??= []
        stages[stage].push(ms)
      },
    },
    settings: {
      domainSeparator: domainSeparatorOf({ chainId: 1n, contract: ADDRESSES.poolRegistry }),
      certificateDomain,
      firstRoundMs: FIRST_ROUND_MS,
    },
  })
  const before = process.cpuUsage()
  service.start(signal)
  return () => {
    const { user, system } = process.cpuUsage(before)
    return { attestations, stages, missed, roundChanges, cpuMs: (user + system) / 1000 }
  }
}
