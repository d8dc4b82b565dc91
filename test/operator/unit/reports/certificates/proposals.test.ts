import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openStore } from '../../../../../operator/adapters/store/sqlite.ts'
import type { JudgedDuty } from '../../../../../operator/core/duties.ts'
import type { BlsSignature, ProducerId, Root, Slot } from '../../../../../operator/core/ids.ts'
import type { NetworkState, Producer } from '../../../../../operator/core/network.ts'
import { bytesToHex } from '../../../../../operator/core/parse.ts'
import type { ChainFollower, Parameters } from '../../../../../operator/core/ports/chain.ts'
import { blst } from '../../../../../operator/protocol/bls/backend.ts'
import type { DutyCertificate } from '../../../../../operator/protocol/messages/certificate.ts'
import { emptyState, foldEvents } from '../../../../../operator/protocol/state/network-state.ts'
import { CertificateExchange } from '../../../../../operator/reports/certificates/exchange.ts'
import type { Judged, Making } from '../../../../../operator/reports/certificates/judging.ts'
import { SetProposals } from '../../../../../operator/reports/certificates/proposals.ts'
import { EMPTY_SET } from '../../../../../operator/reports/certificates/sets.ts'
import { DutyHistory } from '../../../../../operator/reports/duty-history.ts'
import { recordingLog, TestClock } from '../../duties/support.ts'
import { epoch, event, fundedPool, key, pool, producer, root } from '../../protocol/state/support.ts'

const parameters = { reportEpochs: 20, slotsPerEpoch: 4, baseReward: 100, minPoolPerformance: 9_000 } as Parameters
const SELF = 2
const POOLS = [1, 2]
const signature = bytesToHex(blst.SecretKey.fromKeygen(Buffer.alloc(32, 1)).sign(Buffer.alloc(32)).toBytes()) as BlsSignature

const state: NetworkState = foldEvents(emptyState(), [
  ...[1, 2, 3, 4, 5, 6, 7].map((id) =>
    event('BlockProducers.ProducerRegistered', 1, {
      ...{
        producerId: producer(id),
        owner: key(id) as never,
        operator: key(id) as never,
        signingKey: key(id),
        peerAddress: '',
        shares: 0n,
      },
    }),
  ),
  ...fundedPool(1, 'staker', 0, 10),
  ...fundedPool(2, 'staker', 1, 10),
])
const committee: readonly Producer[] = [...state.producers.values()]
const duties = POOLS.flatMap((id) =>
  Array.from(
    { length: 19 },
    (_, at): JudgedDuty => ({ poolId: pool(id), type: 'attestation', slot: (4 * at + id) as Slot, signingRoot: root(at) }),
  ),
)
const certificates = duties.map(
  ({ poolId, slot, signingRoot }): DutyCertificate => ({
    ...{ poolId, round: 0, slot, dutyType: 1, signingRoot: signingRoot ?? root(0), participation: 0b1111n, signature },
  }),
)
const making: Making = {
  epoch: epoch(20),
  state,
  standing: { history: 0, covers: [{ from: epoch(0), to: epoch(20) }], after: [] },
  committee,
}

/** Member 2 of a committee of seven; the report's first leader is member 1. Its book has `held`, and it has every set of `sets`. */
async function setUp(t: TestContext, held: readonly DutyCertificate[]) {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-proposals-'))
  const store = openStore(join(folder, 'state.sqlite'))
  t.after(() => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const chain = { view: () => ({ head: state }) } as unknown as ChainFollower
  const exchange = new CertificateExchange({
    ...{ self: producer(SELF), clock: new TestClock(), chain, store, log: recordingLog().log },
    network: { self: producer(SELF), send: () => {}, onMessage: () => () => {} },
    ...{ domainSeparator: root(1), slotsKept: 1_000, time: { genesisTimeMs: 0, slotDurationMs: 1_000, slotsPerEpoch: 4 } },
  })
  for (const certificate of held) exchange.book.merge(certificate)
  for (let at = 0; at < 20; at++) {
    const judged = duties.filter(({ slot }) => Math.floor(slot / 4) === at)
    store.put('judged-duties', String(at).padStart(12, '0'), JSON.stringify(judged))
  }
  const history = new DutyHistory({ beacon: {} as never, chain, store, log: recordingLog().log })
  const proposals = new SetProposals({ exchange, history, parameters })
  const judged = await proposals.judging.by(making)
  assert.ok(typeof judged !== 'string', 'all is known')
  return { exchange, proposals, judged }
}

type Node = Awaited<ReturnType<typeof setUp>>

/** May it sign for this set, in these turns, when member `leader` has proposed it? The report's first leader is at place `first`. */
async function signs(
  { exchange, proposals, judged }: Node,
  set: readonly DutyCertificate[],
  turns: number,
  { leader = 1, first = 0 } = {},
) {
  const hash = await exchange.sets.add(set)
  proposals.receive(producer(leader), { kind: 'proposal', epoch: epoch(20), history: 0, hash })
  return (await proposals.candidates(making, judged, { first, turns })).includes(hash)
}

/** Turns 0, 1 and 2: f is 2. */
const LAST_STRICT = 2
const without = (id: number): readonly DutyCertificate[] => certificates.filter(({ poolId }) => poolId !== pool(id))

/** A node that has all certificates, and holds everything in `set` for verified. */
async function knowing(t: TestContext, set: readonly DutyCertificate[]): Promise<Node> {
  const node = await setUp(t, certificates)
  const isKnown = node.exchange.isKnown.bind(node.exchange)
  node.exchange.isKnown = (one) => set.includes(one) || isKnown(one)
  return node
}

for (const [what, set] of [
  ['no certificate', []],
  ['nothing of a pool', without(1)],
  ['nothing of a member', certificates.map((one) => (one.poolId === 1 ? { ...one, participation: 0b1110n } : one))],
  ['five certificates less of a pool than are known', certificates.slice(5)],
] as const) {
  test(`a leader’s set with ${what} is signed only where none of the first f + 1 leaders had a better one`, async (t) => {
    const node = await knowing(t, set)
    // Member 3 is the first to lead, so that the own set comes last.
    const isThere = (turns: number) => signs(node, set, turns, { leader: 3, first: 2 })
    for (let turn = 0; turn <= LAST_STRICT; turn++) assert.equal(await isThere(turn), false, `turn ${turn}`)
    assert.equal(await isThere(LAST_STRICT + 1), true, 'nobody else proposes')
    assert.equal(await signs(node, certificates, LAST_STRICT + 1, { leader: 4, first: 2 }), true)
    for (let turn = 0; turn < 7; turn++) assert.equal(await isThere(turn), false, `turn ${turn}, beside a whole one`)
  })
}

test('bits that somebody gave to this member alone delay it, and let no set that hides something pass', async (t) => {
  const lacking = certificates.map((one, at) => (at < 3 ? { ...one, participation: 0b0111n } : one))
  const node = await knowing(t, [...lacking, ...without(1)])
  const places = { leader: 4, first: 2 }
  for (let turn = 0; turn <= LAST_STRICT; turn++) {
    assert.equal(await signs(node, without(1), turn, { leader: 3, first: 2 }), false)
    assert.equal(await signs(node, lacking, turn, places), false, `turn ${turn}`)
  }
  assert.equal(await signs(node, lacking, LAST_STRICT + 1, places), true)
  assert.equal(await signs(node, without(1), LAST_STRICT + 1, { leader: 3, first: 2 }), false)
})

test('of several sets the one with most bits comes first, whoever led first', async (t) => {
  const few = certificates.slice(1)
  const node = await knowing(t, few)
  await signs(node, few, 0, { leader: 3, first: 2 })
  await signs(node, certificates, 0, { leader: 4, first: 2 })
  const whole = await node.exchange.sets.add(certificates)
  for (const turns of [1, 4]) assert.equal((await node.proposals.candidates(making, node.judged, { first: 2, turns }))[0], whole)
})

test('a set that was lost is fetched, or made, again', async (t) => {
  const node = await knowing(t, certificates)
  assert.equal(await signs(node, certificates, 0, { leader: 3, first: 2 }), true)
  const hash = await node.exchange.sets.add(certificates)
  for (let at = 0; at < 16; at++) await node.exchange.sets.add(certificates.slice(at, at + 1))
  assert.equal(node.exchange.sets.has(hash), false)
  assert.deepEqual(await node.proposals.candidates(making, node.judged, { first: 2, turns: 0 }), [])
  assert.deepEqual(await node.proposals.candidates(making, node.judged, { first: 1, turns: 0 }), [hash], 'its own')
})

test('a set that lacks a few lost on the way, or has what this node has not, is signed at once', async (t) => {
  const all = await setUp(t, certificates)
  assert.equal(await signs(all, certificates, 0), true)
  // A sixteenth of nineteen, rounded up.
  const few = await setUp(t, certificates)
  assert.equal(await signs(few, certificates.slice(2), 0), true)
  const none = await setUp(t, [])
  none.exchange.isKnown = () => true
  assert.equal(await signs(none, certificates, 0), true)
  assert.equal(await signs(await setUp(t, []), [], 0), true)
})

test('what a report’s sets are judged by, and what a set says, is worked out once', async (t) => {
  const { exchange, proposals, judged } = await setUp(t, certificates)
  assert.equal(await proposals.judging.by(making), judged)
  assert.equal(judged.most, certificates.length)
  const hash = await exchange.sets.add(certificates)
  const record = await proposals.record(making, judged, hash)
  assert.equal(record.certificatesHash, hash)
  assert.equal(await proposals.record(making, judged, hash), record)
  assert.deepEqual(
    record.points.map(({ points }) => points),
    [3_800, 3_800, 3_800, 3_800],
  )
  const other: Judged = { ...judged, key: 'another' }
  assert.notEqual(await proposals.record(making, other, hash), record)
  assert.equal((await proposals.record(making, judged, EMPTY_SET)).points[0]?.points, -3_800)
})

test('a set found wrong is not fetched again', async (t) => {
  const { exchange, proposals, judged } = await setUp(t, [])
  const hash: Root = await exchange.sets.add(certificates)
  proposals.receive(1 as ProducerId, { kind: 'proposal', epoch: epoch(20), history: 0, hash })
  let looked = 0
  exchange.isValid = () => looked++ < 0
  for (let attempt = 0; attempt < 3; attempt++) assert.equal((await proposals.candidates(making, judged, { first: 0, turns: 0 })).length, 0)
  assert.equal(looked, 1)
})
