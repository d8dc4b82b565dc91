import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecretKey } from '@chainsafe/blst'
import type { JudgedDuty } from '../../../../../operator/core/duties.ts'
import type { BlsSignature, Slot } from '../../../../../operator/core/ids.ts'
import type { NetworkState, Pool } from '../../../../../operator/core/network.ts'
import { bytesToHex } from '../../../../../operator/core/parse.ts'
import type { EpochRange, PointEntry } from '../../../../../operator/core/report.ts'
import type { DutyCertificate } from '../../../../../operator/protocol/messages/certificate.ts'
import { certificatesRoot } from '../../../../../operator/protocol/messages/certificate-set.ts'
import {
  deriveDutyRecord,
  type EarlierReport,
  pointsOfLate,
  pointsOfSummaries,
} from '../../../../../operator/protocol/state/duty-points.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import {
  certificateFilter,
  type ExecutionSummary,
  judgedEpochs,
  judges,
  summarize,
  summaryLeaf,
} from '../../../../../operator/protocol/state/summaries.ts'
import { vaultAt, vaultInCharge } from '../../../../../operator/protocol/state/vaults.ts'
import { resultOf } from '../../../../support/steps.ts'
import { epoch, event, fundedPool, key, pool, producer, root } from './support.ts'

const parameters = { reportEpochs: 4, slotsPerEpoch: 4, baseReward: 100, minPoolPerformance: 9_000 }
const CODES = { attestation: 1, proposal: 2 } as const
const signature = `0x${'00'.repeat(96)}` as BlsSignature

/** Pool 1 is handed from 1 2 3 4 to 5 2 3 6 in epoch 6, pool 2 stays with 1 2 3 4. */
const network: NetworkState = foldEvents(emptyState(), [
  ...fundedPool(1, 'staker', 0, 10),
  ...fundedPool(2, 'staker', 1, 20),
  event('Rotations.RotationDrawn', 30, {
    poolId: pool(1),
    round: 1,
    oldRound: 0,
    members: [5, 2, 3, 6].map(producer),
    deadline: epoch(9),
  }),
  event('Rotations.RotationCompleted', 31, {
    poolId: pool(1),
    round: 1,
    cutover: epoch(6),
    publicShares: [1, 2, 3, 4].map(key),
    transcriptRoot: root(1),
    participation: 15n,
  }),
  event('PoolRegistry.VaultReplaced', 31, { poolId: pool(1), round: 1, members: [5, 2, 3, 6].map(producer) }),
])

const poolOf = (id: number): Pool => {
  const found = network.pools.get(pool(id))
  assert.ok(found)
  return found
}
const duty = (id: number, slot: number, type: JudgedDuty['type'] = 'attestation', isFinal = true): JudgedDuty => ({
  poolId: pool(id),
  type,
  slot: slot as Slot,
  signingRoot: isFinal ? root(slot) : undefined,
})
const certificate = (of: JudgedDuty, participation: bigint, change: Partial<DutyCertificate> = {}): DutyCertificate => ({
  poolId: of.poolId,
  round: of.poolId === pool(1) && of.slot >= 24 ? 1 : 0,
  slot: of.slot,
  dutyType: CODES[of.type],
  signingRoot: root(of.slot),
  participation,
  signature,
  ...change,
})
const covering = (...covers: readonly EpochRange[]) => ({ epoch: covers.at(-1)?.to ?? epoch(0), covers })
const range = (from: number, to: number): EpochRange => ({ from: epoch(from), to: epoch(to) })

function totals(entries: readonly PointEntry[]): number[] {
  const sums = Array<number>(6).fill(0)
  for (const { producerId, points } of entries) sums[producerId - 1] = (sums[producerId - 1] ?? 0) + points
  return sums
}
function points(duties: readonly JudgedDuty[], certificates: readonly DutyCertificate[]): number[] {
  return totals(pointsOfSummaries(summarize({ state: network, duties, certificates, parameters }), network, parameters))
}

test('a duty belongs to the report that covers the epoch after it, when it could still be included', () => {
  assert.deepEqual(judgedEpochs(covering(range(0, 4)), parameters), [range(0, 3)])
  assert.deepEqual(judgedEpochs(covering(range(4, 8), range(12, 16)), parameters), [range(3, 7), range(11, 15)])
  assert.deepEqual(judgedEpochs(covering(range(0, 1)), parameters), [])
  // Every epoch once, whatever the reports are.
  const reports = [[range(0, 4)], [range(4, 8)], [range(8, 12)]]
  for (let slot = 0; slot < 44; slot++) {
    assert.equal(reports.filter((covers) => judges(covering(...covers), parameters)(slot as Slot)).length, 1, `slot ${slot}`)
  }
})

test('a pool’s vault is that of the epoch: the new one from the cutover on', () => {
  assert.deepEqual(vaultAt(poolOf(1), epoch(5))?.members, [1, 2, 3, 4])
  assert.deepEqual(vaultAt(poolOf(1), epoch(6)), { round: 1, members: [5, 2, 3, 6], publicShares: [1, 2, 3, 4].map(key), from: 6 })
  assert.equal(vaultAt({ vaults: [] }, epoch(6)), undefined)
  // Who may sign: the new one once that is final, the old one no more as soon as the head shows the cutover.
  const [head, finalized] = [poolOf(1), { vaults: poolOf(1).vaults.slice(0, 1) }]
  assert.equal(vaultInCharge({ head, finalized }, epoch(5))?.round, 0)
  assert.equal(vaultInCharge({ head, finalized }, epoch(6)), undefined)
  assert.equal(vaultInCharge({ head, finalized: undefined }, epoch(6)), undefined)
  assert.equal(vaultInCharge({ head, finalized: head }, epoch(6))?.round, 1)
})

test('of a final attestation participants gain the base, the others lose it; a proposal is double', () => {
  const vote = duty(1, 8)
  assert.deepEqual(points([vote], [certificate(vote, 0b0111n)]), [100, 100, 100, -100, 0, 0])
  const block = duty(2, 9, 'proposal')
  assert.deepEqual(points([block], [certificate(block, 0b1011n)]), [200, 200, -200, 200, 0, 0])
  assert.deepEqual(points([block], []), [-200, -200, -200, -200, 0, 0])
})

test('of a duty that is not final everyone loses twice its worth; a pool that fails often loses more each epoch', () => {
  // One of ten is at the limit of 90 %, two are below it.
  const ten = Array.from({ length: 10 }, (_, i) => duty(2, 4 * i, 'attestation', i !== 3))
  const all = ten.filter(({ signingRoot }) => signingRoot !== undefined).map((one) => certificate(one, 0b1111n))
  assert.deepEqual(points(ten, all), [700, 700, 700, 700, 0, 0])
  const two = ten.map((one, i) => (i === 5 ? duty(2, 20, 'attestation', false) : one))
  assert.deepEqual(
    points(two, all),
    [800, 800, 800, 800, 0, 0].map((sum, i) => (i < 4 ? sum - 400 - 1_000 : sum)),
  )
  const missed = duty(2, 9, 'proposal', false)
  assert.deepEqual(points([missed], [certificate(missed, 0b1111n)]), [-500, -500, -500, -500, 0, 0])
})

test('duties after the cutover are the new vault’s', () => {
  const [before, after] = [duty(1, 23), duty(1, 24)]
  const both = [certificate(before, 0b1111n), certificate(after, 0b1110n)]
  assert.deepEqual(points([before, after], both), [100, 200, 200, 100, -100, 100])
})

test('a certificate counts only with the root that is final, of the vault in charge, by its members', () => {
  const vote = duty(1, 24)
  const counts = certificateFilter({ state: network, duties: [vote, duty(1, 28, 'attestation', false)], parameters })
  assert.ok(counts(certificate(vote, 0b1111n)))
  assert.ok(!counts(certificate(vote, 0b1111n, { signingRoot: root(99) })))
  assert.ok(!counts(certificate(vote, 0b1111n, { round: 0 })))
  assert.ok(!counts(certificate(vote, 0b10000n)))
  assert.ok(!counts(certificate(vote, 1n, { poolId: pool(9) })))
  assert.ok(!counts(certificate(vote, 1n, { dutyType: 2 })))
  assert.ok(!counts(certificate(duty(1, 28), 1n)))
  assert.ok(!counts(certificate(duty(1, 29), 1n)))
})

test('a bit that comes late is worth twice the duty, once', () => {
  const [vote, block] = [duty(2, 8), duty(2, 9, 'proposal')]
  const late = [certificate(vote, 0b1111n), certificate(block, 0b1001n)]
  const gained = (published: readonly DutyCertificate[]) =>
    totals(pointsOfLate({ state: network, certificates: late, published, parameters }))
  assert.deepEqual(gained([]), [600, 200, 200, 600, 0, 0])
  assert.deepEqual(gained([certificate(vote, 0b0111n), certificate(vote, 0b1001n), certificate(block, 0b1000n)]), [400, 0, 0, 0, 0, 0])
})

const rootOf = (summaries: readonly ExecutionSummary[]) => certificatesRoot(summaries.map(summaryLeaf))

test('summaries are in order and their root binds every field', () => {
  const duties = [duty(2, 12), duty(1, 9, 'proposal'), duty(1, 8), duty(1, 9), duty(1, 24, 'attestation', false)]
  const of = (certificates: readonly DutyCertificate[]) => summarize({ state: network, duties, certificates, parameters })
  const summaries = of([certificate(duty(1, 9), 5n)])
  assert.deepEqual(
    summaries.map(({ poolId, epoch: at, round, duties: ones }) => [poolId, at, round, ones.map(({ slot, dutyType }) => [slot, dutyType])]),
    [
      [
        1,
        2,
        0,
        [
          [8, 1],
          [9, 1],
          [9, 2],
        ],
      ],
      [1, 6, 1, [[24, 1]]],
      [2, 3, 0, [[12, 1]]],
    ],
  )
  assert.deepEqual(summaries[0]?.duties[1], { dutyType: 1, slot: 9, finalized: true, participation: 5n })
  const roots = new Set([of([]), of([certificate(duty(1, 9), 5n)]), of([certificate(duty(1, 9), 4n)]), summaries.slice(1)].map(rootOf))
  assert.equal(roots.size, 4)
  assert.equal(rootOf([]), root(0))
})

/** The rules of protocol.md §9 once more, a member and a duty at a time. */
function slowly(input: {
  readonly duties: readonly JudgedDuty[]
  readonly covers: readonly EpochRange[]
  readonly set: readonly DutyCertificate[]
  readonly earlier: readonly EarlierReport[]
}): number[] {
  const sums = Array<number>(6).fill(0)
  const add = (id: number, value: number): void => {
    sums[id - 1] = (sums[id - 1] ?? 0) + value
  }
  const vaultOf = (id: number, at: number): readonly number[] => (id === 1 && at >= 6 ? [5, 2, 3, 6] : [1, 2, 3, 4])
  const has = (set: readonly DutyCertificate[], one: JudgedDuty, place: number): boolean =>
    set.some(
      (c) =>
        c.poolId === one.poolId &&
        c.slot === one.slot &&
        c.dutyType === CODES[one.type] &&
        c.signingRoot === one.signingRoot &&
        c.participation
          .toString(2)
          .padStart(8, '0')
          .at(-1 - place) === '1',
    )
  const within = (covers: readonly EpochRange[], slot: number): boolean => {
    const included = Math.floor(slot / 4) + 1
    return covers.some(({ from, to }) => included >= from && included < to)
  }
  for (const id of [1, 2]) {
    const own = input.duties.filter((one) => one.poolId === id && within(input.covers, one.slot))
    const final = own.filter(({ signingRoot }) => signingRoot !== undefined).length
    for (const one of own) {
      const worth = one.type === 'proposal' ? 200 : 100
      for (const [place, member] of vaultOf(id, Math.floor(one.slot / 4)).entries()) {
        if (one.signingRoot === undefined) add(member, -2 * worth)
        else add(member, has(input.set, one, place) ? worth : -worth)
      }
    }
    if (own.length > 0 && final / own.length < 0.9) {
      for (const at of new Set(own.map(({ slot }) => Math.floor(slot / 4)))) for (const member of vaultOf(id, at)) add(member, -100)
    }
    for (const one of input.duties) {
      if (one.poolId !== id || one.signingRoot === undefined || !input.earlier.some(({ covers }) => within(covers, one.slot))) continue
      for (const [place, member] of vaultOf(id, Math.floor(one.slot / 4)).entries()) {
        if (has(input.set, one, place) && !input.earlier.some(({ certificates }) => has(certificates, one, place))) {
          add(member, one.type === 'proposal' ? 400 : 200)
        }
      }
    }
  }
  return sums
}

test('points agree with a slow model on random histories', () => {
  const valid = bytesToHex(SecretKey.fromKeygen(Buffer.alloc(32, 7)).sign(Buffer.alloc(32, 1)).toBytes()) as BlsSignature
  let random = 4242
  const next = (below: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((random / 2 ** 31) * below)
  }
  for (let run = 0; run < 100; run++) {
    const duties: JudgedDuty[] = []
    for (let slot = 4; slot < 48; slot++) {
      for (const id of [1, 2]) {
        if (next(4) === 0) duties.push(duty(id, slot, 'attestation', next(run % 2 === 0 ? 30 : 6) > 0))
        if (next(12) === 0) duties.push(duty(id, slot, 'proposal', next(8) > 0))
      }
    }
    const setOf = (to: number): DutyCertificate[] =>
      duties
        .filter(({ slot }) => slot < 4 * (to - 1) && next(4) > 0)
        .map((one) => certificate(one, BigInt(1 + next(15)), { signature: valid, ...(next(10) === 0 && { signingRoot: root(200) }) }))
    const earlier = [
      { ...covering(range(0, 4)), certificates: setOf(4) },
      { ...covering(range(4, 8)), certificates: setOf(8) },
    ].slice(next(3))
    const covers = [range(8, 12)]
    const set = setOf(12)
    const report = { report: covering(...covers), certificates: set, certificatesHash: root(run), earlier }
    const record = resultOf(deriveDutyRecord({ state: network, duties, parameters, ...report }))
    assert.equal(record.certificatesHash, root(run))
    const judged = duties.filter(({ slot }) => slot >= 28 && slot < 44)
    assert.equal(record.summariesRoot, rootOf(summarize({ state: network, duties: judged, certificates: set, parameters })))
    assert.deepEqual(totals(record.points), slowly({ duties, covers, set, earlier }), `run ${run}`)
  }
})

test('duties of more than four reports ago are passed over, whoever knows of them', () => {
  assert.deepEqual(judgedEpochs(covering(range(0, 20)), parameters), [range(4, 19)])
  assert.deepEqual(judgedEpochs({ epoch: epoch(40), covers: [range(0, 8), range(20, 40)] }, parameters), [range(24, 39)])
  assert.equal(judges(covering(range(0, 20)), parameters)(15 as Slot), false)
  assert.equal(judges(covering(range(0, 20)), parameters)(16 as Slot), true)
})
