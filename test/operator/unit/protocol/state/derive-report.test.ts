import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PublicKey } from '../../../../../operator/core/ids.ts'
import type { NetworkState } from '../../../../../operator/core/network.ts'
import type { Parameters } from '../../../../../operator/core/ports/chain.ts'
import type { Reference, ReferenceBalance } from '../../../../../operator/core/report.ts'
import { standingNow } from '../../../../../operator/protocol/state/coverage.ts'
import { deriveReport, NO_DUTIES, ReportError } from '../../../../../operator/protocol/state/derive-report.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import { pageRoot, poolPagesOf } from '../../../../../operator/protocol/state/pages.ts'
import { epoch, event, fundedPool, key, pool, root } from './support.ts'

const GWEI = 10n ** 9n

function reference(timestamp: number, balances: readonly (readonly [PublicKey, ReferenceBalance])[]): Reference {
  return {
    epoch: epoch(12),
    header: { root: root(1), slot: 48 as never, proposerIndex: 3 as never, parentRoot: root(2), stateRoot: root(3), bodyRoot: root(4) },
    executionBlock: 40,
    timestamp,
    balances: new Map(balances),
    arrivals: { staker: 5n, bond: 6n },
  }
}

const parameters = {
  genesisTime: 0,
  slotsPerEpoch: 4,
  secondsPerSlot: 12,
  firstPeriod: 0,
  periodLength: 12,
  baseReward: 100,
  dkgReward: 1_000,
  dkgFailurePenalty: 1_000,
  maxCdtDebt: 10_000,
} as Parameters

const derive = (state: NetworkState, at: Reference, poolsPerPage = 2048) => {
  const { report, pages } = deriveReport({
    state,
    reference: at,
    standing: standingNow(state, at.epoch),
    duties: NO_DUTIES,
    poolsPerPage,
    parameters,
  })
  return { report, pages: pages.slice(0, poolPagesOf(report)) }
}

const word = (...gwei: bigint[]): string => gwei.map((value) => value.toString(16).padStart(16, '0')).join('')

test('pools are reported by kind, in order of registration, at what the reference shows', () => {
  const state = foldEvents(emptyState(), [
    ...fundedPool(1, 'staker', 1, 10),
    ...fundedPool(2, 'bond', 0, 10),
    ...fundedPool(3, 'staker', 0, 10),
  ])
  const { report, pages } = derive(
    state,
    reference(1_000, [
      [key(1), { balance: 31n * GWEI, eligible: true }],
      [key(2), { balance: 33n * GWEI, eligible: true }],
      [key(3), { balance: 32n * GWEI, eligible: true }],
    ]),
  )
  assert.deepEqual(pages, [`0x${word(32n * GWEI, 31n * GWEI)}`, `0x${word(33n * GWEI)}`])
  assert.deepEqual([report.stakerPools, report.bondPools, report.stakerArrivals, report.bondArrivals], [2, 1, 5n, 6n])
  assert.deepEqual(report.pageRoots, pages.map(pageRoot))
})

test('A38 a top-up in flight is counted exactly once, before and after each of its steps', () => {
  const events = fundedPool(1, 'staker', 0, 10)
  const balanceAt = (timestamp: number, shown: ReferenceBalance | undefined, known = events): string | undefined =>
    derive(foldEvents(emptyState(), known), reference(timestamp, shown === undefined ? [] : [[key(1), shown]])).pages[0]
  assert.equal(balanceAt(119, undefined), undefined, 'not registered yet')
  assert.equal(balanceAt(120, undefined), `0x${word(GWEI)}`, '1 ETH deposited, the validator not there yet')
  assert.equal(balanceAt(129, { balance: GWEI, eligible: false }), `0x${word(GWEI)}`, '1 ETH credited, not funded')
  assert.equal(balanceAt(130, { balance: GWEI, eligible: false }), `0x${word(32n * GWEI)}`, '31 ETH queued')
  assert.equal(balanceAt(200, { balance: 32n * GWEI, eligible: false }), `0x${word(32n * GWEI)}`, 'credited')
  assert.equal(balanceAt(210, { balance: 32n * GWEI, eligible: true }), `0x${word(32n * GWEI)}`, 'eligible')
  assert.equal(balanceAt(300, { balance: 31n * GWEI, eligible: true }), `0x${word(31n * GWEI)}`, 'active, with a loss')
})

test('A54 a foreign deposit stands in for the queued top-up, once', () => {
  const state = foldEvents(emptyState(), fundedPool(1, 'staker', 0, 10))
  const shown = (balance: bigint, eligible: boolean) => derive(state, reference(200, [[key(1), { balance, eligible }]])).pages[0]
  assert.equal(shown(3n * GWEI, false), `0x${word(34n * GWEI)}`, '2 ETH of a stranger, 31 ETH still queued')
  assert.equal(shown(33n * GWEI, false), `0x${word(33n * GWEI)}`, '32 ETH of a stranger make it eligible: the queue no more counts')
})

test('A01 a front-run pool is worth nothing from its proof on', () => {
  const state = foldEvents(emptyState(), [
    ...fundedPool(1, 'staker', 0, 10).slice(0, 6),
    event('PoolRegistry.PoolFrontRun', 14, { poolId: pool(1), credentials: root(8) }),
  ])
  const page = (timestamp: number) => derive(state, reference(timestamp, [])).pages[0]
  assert.equal(page(139), `0x${word(GWEI)}`)
  assert.equal(page(140), `0x${word(0n)}`)
})

test('a funded pool that the reference lacks is an error, never a guess', () => {
  const state = foldEvents(emptyState(), fundedPool(1, 'staker', 0, 10))
  assert.throws(
    () => derive(state, reference(200, [])),
    (error) => error instanceof ReportError && error.code === 'BALANCE_MISSING',
  )
})

test('pages break where the contract breaks them', () => {
  const events = Array.from({ length: 5 }, (_, at) => fundedPool(at + 1, 'staker', at, 10)).flat()
  const balances = Array.from({ length: 5 }, (_, at) => [key(at + 1), { balance: BigInt(at + 32), eligible: true }] as const)
  const { pages } = derive(foldEvents(emptyState(), events), reference(500, balances), 2)
  assert.deepEqual(pages, [`0x${word(32n, 33n)}`, `0x${word(34n, 35n)}`, `0x${word(36n)}`])
})
