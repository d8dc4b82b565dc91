import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { TypedDataEncoder } from 'ethers'
import { openBeaconNode } from '../adapters/beacon/connect.ts'
import { createProver } from '../adapters/beacon/prover.ts'
import { loadBeaconSpec } from '../adapters/beacon/spec.ts'
import { createContracts } from '../adapters/chain/contracts.ts'
import { startFollower } from '../adapters/chain/follower.ts'
import { TransactionSender } from '../adapters/chain/transactions.ts'
import { systemClock as clock } from '../adapters/clock.ts'
import { startNetwork } from '../adapters/p2p/network.ts'
import { openJobQueue } from '../adapters/queue/job-queue.ts'
import { openStore } from '../adapters/store/sqlite.ts'
import { startHandovers } from '../ceremonies/handover-service.ts'
import { startCeremonies } from '../ceremonies/service.ts'
import type { Address, Root } from '../core/ids.ts'
import { toAddress, toRoot } from '../core/parse.ts'
import type { Parameters } from '../core/ports/chain.ts'
import { DutyService } from '../duties/service.ts'
import { startDisputes } from '../keeper/disputes.ts'
import { startKeeper } from '../keeper/keeper.ts'
import { aggregateSignatures, fastAggregateVerify, verifyEach, verifySignature } from '../protocol/bls/signatures.ts'
import { combinePartials } from '../protocol/bls/threshold.ts'
import { ecdsaVerifier } from '../protocol/messages/ecdsa.ts'
import { CertificateExchange } from '../reports/certificates/exchange.ts'
import { startReports } from '../reports/pipeline.ts'
import type { openSigner } from '../signer/open.ts'
import { passwordFrom } from '../signer/password.ts'
import { openPeerIdentity } from '../signer/peer-identity.ts'
import { createBeaconHub } from './beacon-hub.ts'
import { splitCeremonies } from './ceremony-channel.ts'
import { createCeremonyStatistics } from './ceremony-statistics.ts'
import { JOBS_FOLDER, type OperatorConfig } from './config.ts'
import { createDutyPools } from './duty-pools.ts'
import { createDutyStatistics } from './duty-statistics.ts'
import { connectExecution, knowingly } from './execution.ts'
import { createExitRequests } from './exit-requests.ts'
import { startHttp } from './http.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { ProcessLog } from './log.ts'
import { allOf, createMetrics } from './metrics.ts'
import { ownProducer, peersOf } from './registration.ts'
import { keepToTerms } from './share-terms.ts'
import { createStatusBoard, RUNNING } from './status-board.ts'
import { waitFor } from './waiting.ts'

/** What whoever starts an operator has to give. */
export type Shell = {
  readonly config: OperatorConfig
  readonly log: ProcessLog
  readonly lifecycle: Lifecycle
  /** Opens the secrets in the data folder. */
  readonly openKeys: typeof openSigner
}

/** BLS as the workflows see it: threshold signatures, and aggregates over the producers' signing keys. */
const bls = {
  combine: combinePartials,
  verify: verifySignature,
  verifyEach,
  verifyAll: fastAggregateVerify,
  aggregate: aggregateSignatures,
}

/** QBFT's first round: 2 s, or on a faster chain than any public one an eighth of its slot. */
const firstRoundMs = (slotMs: number): number => (slotMs < 12_000 ? slotMs / 8 : 2_000)

/** A transaction that is not included after this time, or three slots, is sent again with a higher fee. */
/** Blocks that leave a transaction out before its fee is raised. */
const BUMP_AFTER_BLOCKS = 8
const BUMP_AFTER_MS = 10_000

/** A certificate is of use to the report after its duty and to two more; a report may be late by one. */
const REPORTS_KEPT = 5
const slotsOfReports = ({ reportEpochs, slotsPerEpoch }: Parameters): number => REPORTS_KEPT * reportEpochs * slotsPerEpoch

/** EIP-712 domain of the contract that judges vault members' messages. */
const domainOf = (chainId: bigint, verifyingContract: Address): Root =>
  toRoot(TypedDataEncoder.hashDomain({ name: 'Open Pools', version: '1', chainId, verifyingContract }))

/**
 * Puts a node together, in the order in which its parts need each other, and starts it. Everything ends with the lifecycle's
 * signal. Waits for endpoints that are down; throws what waiting would not mend.
 */
export async function startOperator({ config, log, lifecycle, openKeys }: Shell): Promise<void> {
  const { signal, onStop } = lifecycle

  // Secrets first: opening them locks the folder, so that nothing here runs twice.
  const password = passwordFrom({ file: config.passwordFile })
  const signer = await openKeys({ dataDir: config.dataDir, password })
  onStop('signer', () => signer.close())
  const seed = openPeerIdentity({ dataDir: config.dataDir, password })
  const { operatorKey, signingKey, shares } = signer
  const operator = toAddress(operatorKey.address)

  // Then what people look at, so that a node that waits can be asked for what.
  const statistics = createDutyStatistics()
  const ceremonies = createCeremonyStatistics(log)
  const metrics = createMetrics()
  const board = createStatusBoard({ operator, clock, statistics, ceremonies, shares })
  const http = await startHttp({ host: config.httpHost, port: config.httpPort, status: board.read, metrics })
  onStop('http', () => http.close())
  log.info('operator starts', { operator, dataDir: config.dataDir, http: `${config.httpHost}:${config.httpPort}` })

  // The chain's parameters decide Lodestar's preset: no module that needs it may be loaded before.
  const spec = await waitFor({ what: 'the beacon node', board, log }, () => loadBeaconSpec(config.beaconUrl, signal), signal)
  const beacon = createBeaconHub({ node: await openBeaconNode({ url: config.beaconUrl, spec, log }), log }, signal)
  const { openState } = await import('../protocol/proofs/provable-state.ts')
  board.add({ beacon })

  const slotMs = spec.slotDurationMs

  // The deployment, and all that its contracts ever said.
  const connect = () => connectExecution({ url: config.rpcUrl, directory: config.directory, spec }, signal)
  const { rpc, deployment } = await waitFor({ what: 'the execution client', board, log }, connect, signal)
  board.add({ execution: { health: () => rpc.health.current } })
  const store = openStore(join(config.dataDir, 'state.sqlite'))
  onStop('store', () => store.close())
  const onNews = (look: () => void): void => beacon.follow({ onHead: look, onFinalized: look }, signal)
  const follow = () => startFollower({ rpc, store, deployment, pollMs: slotMs * 0.6, onNews, log }, signal)
  const chain = await waitFor({ what: 'the events of the contracts', board, log }, follow, signal)
  board.add({ chain })
  const recognise = () => knowingly(rpc, () => ownProducer(chain.view().head, operator), signal)
  const self = await waitFor({ what: 'the own registration', board, log }, recognise, signal)
  board.add({ self })

  // The others.
  const network = await startNetwork({ self, seed, listen: [config.listen], log })
  onStop('network', () => network.close())
  const meet = (): void => network.setPeers(peersOf(chain.view().head))
  meet()
  chain.onChange(({ applied }) => {
    if (applied.some(({ name }) => name.startsWith('BlockProducers.'))) meet()
  })
  board.add({ network })

  // The work.
  const { addresses } = deployment
  const sending = { pollMs: slotMs / 2, bumpAfterMs: Math.max(BUMP_AFTER_MS, 3 * slotMs), bumpAfterBlocks: BUMP_AFTER_BLOCKS }
  const sender = new TransactionSender({ rpc, signer: signer.transactionSigner, store, log, ...sending }, signal)
  const contracts = createContracts({ rpc, deployment, sender })
  const queue = await openJobQueue({ folder: join(config.dataDir, JOBS_FOLDER), log })
  onStop('queue', () => queue.close())
  const verifyEcdsa = ecdsaVerifier()
  const everyone = { self, clock, beacon, chain, contracts, network, queue, store, log }

  const certificateDomain = domainOf(contracts.chainId, addresses.disputes)
  const certificates = new CertificateExchange({
    ...everyone,
    domainSeparator: certificateDomain,
    time: spec,
    slotsKept: slotsOfReports(deployment.parameters),
  })
  certificates.start(signal)
  board.add({ certificates })

  keepToTerms({ shares, chain, spec, parameters: deployment.parameters, log }, signal)
  const duties = new DutyService({
    ...everyone,
    stopwatch: () => performance.now(),
    signer: shares,
    operatorKey,
    verifyEcdsa,
    scheme: bls,
    certificateSigner: signer.certificates(certificateDomain),
    aggregation: bls,
    certificates,
    pools: createDutyPools({ self, chain, shares, addresses }),
    exits: createExitRequests({ self, chain, beacon, parameters: deployment.parameters, log }, signal),
    metrics: allOf([metrics.duties, statistics.observe]),
    settings: {
      domainSeparator: domainOf(contracts.chainId, addresses.poolRegistry),
      certificateDomain,
      firstRoundMs: firstRoundMs(slotMs),
    },
  })
  duties.start(signal)
  board.add({ dutyRecords: () => duties.records() })

  const channel = splitCeremonies(network)
  const keys = { operatorKey, signingKey, verifyEcdsa, scheme: bls }
  const members = { ...everyone, ...keys, disputes: startDisputes(everyone), observer: ceremonies.observer }
  startCeremonies({ ...members, network: channel.keys, secrets: signer.ceremony }, signal)
  startHandovers({ ...members, network: channel.handovers, secrets: signer.handover }, signal)
  const pageSize = () => contracts.read({ contract: 'stateCommitments', method: 'POOLS_PER_PAGE', args: [] })
  const poolsPerPage = Number(await waitFor({ what: 'the execution client', board, log }, pageSize, signal))
  startReports({ ...everyone, certificates, signingKey, aggregation: bls, poolsPerPage }, signal)
  startKeeper({ ...everyone, prover: createProver(beacon, openState), maxExitFee: config.maxExitFee }, signal)

  board.enter(RUNNING)
  log.info('operator runs', { producer: self, operator, peerId: network.peerId, listens: network.addresses() })
}
