import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { OperatorStatus } from '../../../../operator/app/status.ts'
import { readStatus, statusTable } from '../../../../operator/app/status-table.ts'
import { sendJson, TestServer } from '../adapters/support/http.ts'

const counts = { due: 0, done: 0, missed: 0, included: 0, notIncluded: 0 }
const KEY = `0x${'8a'.repeat(24)}${'01'.repeat(24)}`

/** A status as it comes over the wire. */
function statusWith(change: object): OperatorStatus {
  return {
    state: 'running',
    ready: true,
    notReady: [],
    producerId: 3,
    operator: `0x${'ab'.repeat(20)}`,
    peersConnected: 5,
    peersKnown: 6,
    head: { slot: 120, block: 118 },
    finalized: { epoch: 27, block: 107 },
    endpoints: { beacon: { state: 'up', since: 0, reason: '' }, execution: { state: 'up', since: 0, reason: '' } },
    pools: [],
    ceremonies: [],
    duties: { attestations: counts, proposals: counts, randaoReveals: counts, exits: counts, missedBecause: {}, lastMissed: [] },
    dkgMs: [],
    consensusMs: [],
    dutyMs: [],
    roundChanges: 0,
    certificates: { made: 7, received: 12, merged: 3, refused: 0 },
    lastPoints: { epoch: 24, points: -150 },
    commitments: { open: 0, pending: 1, finalized: 4, dropped: 0, lastEpoch: 24 },
    ...change,
  } as unknown as OperatorStatus
}

describe('status table', () => {
  it('shows a healthy operator in a few lines', () => {
    const consensusMs = Array.from({ length: 100 }, (_, at) => at + 1)
    const pool = { poolId: 1, kind: 'staker', phase: 'funded', round: 0, memberIndex: 2, publicKey: KEY, validatorIndex: 17, share: true }
    const attestations = { due: 40, done: 39, missed: 1, included: 38, notIncluded: 0 }
    const missed = {
      type: 'attestation',
      poolId: 1,
      slot: 99,
      state: 'missed',
      reason: 'NO_CONSENSUS',
      detail: 'no quorum',
      included: true,
    }
    const duties = { ...statusWith({}).duties, attestations, lastMissed: [missed] }
    const lines = statusTable(statusWith({ consensusMs, pools: [pool], duties }))
    const text = lines.join('\n')
    assert.match(text, /^state +running, ready$/m)
    assert.match(text, /^peers +5 of 6 connected$/m)
    assert.match(text, /^head +slot 120, events up to block 118$/m)
    assert.match(text, /^certificates +7 made, 12 received, 3 merged, 0 refused$/m)
    assert.match(text, /^points +-150 in the report of epoch 24$/m)
    assert.match(text, /^consensus +51 ms, 95 % within 96 ms \(100\)$/m)
    assert.match(text, /^signature +–$/m)
    assert.match(text, /^ +1 +staker +funded +0 +2 +17 +yes +0x8a8a8a8a8a…010101$/m)
    assert.match(text, /^ +attestations +40 +39 +1 +38 +0$/m)
    assert.doesNotMatch(text, /proposals/)
    assert.match(text, /^ +attestation +1 +99 +yes +NO_CONSENSUS +no quorum$/m)
    assert.match(text, /^missed: this operator did not .*Other members of the vault may have/m)
    assert.match(text, /^NO_CONSENSUS: The vault did not decide/m)
    assert.ok(lines.every((line) => line === line.trimEnd()))
  })

  it('says why an operator is not ready, and what is not known yet', () => {
    const endpoints = {
      beacon: { state: 'down', since: Date.UTC(2026, 0, 2), reason: 'connect ECONNREFUSED' },
      execution: { state: 'otherChain', since: 0, reason: 'it is of chain 1' },
    }
    const notReady = ['the beacon node is down: connect ECONNREFUSED']
    const status = statusWith({ ready: false, notReady, endpoints, producerId: null, head: { slot: null, block: null } })
    const text = statusTable(status).join('\n')
    assert.match(text, /^state +running\n +the beacon node is down: connect ECONNREFUSED$/m)
    assert.match(text, /^producer +–$/m)
    assert.match(text, /^beacon node +down since 2026-01-02T00:00:00\.000Z$/m)
    assert.match(text, /^execution +on another chain since .*: it is of chain 1$/m)
    assert.match(text, /^head +slot –, events up to block –$/m)
    assert.match(text, /^pools: none$/m)
  })

  it('says once what an operator waits for, and nothing of 1970', () => {
    const state = 'waiting for the beacon node: connect ECONNREFUSED 127.0.0.1:5052'
    const unknown = { state: 'unknown', since: Date.UTC(2026, 0, 2), reason: 'it has not answered since this operator started' }
    const endpoints = { beacon: unknown, execution: unknown }
    const text = statusTable(statusWith({ state, ready: false, notReady: [`the operator is ${state}`], endpoints })).join('\n')
    assert.equal(text.match(/ECONNREFUSED/g)?.length, 1)
    assert.match(text, /^beacon node +no answer since 2026-01-02T00:00:00\.000Z$/m)
    assert.doesNotMatch(text, /1970/)
  })
})

describe('reading a status', () => {
  let answer: () => readonly [status: number, body: unknown] = () => [200, statusWith({})]
  const server = new TestServer((request, response) => {
    const [status, body] = answer()
    if (request.url === '/status') sendJson(response, body, status)
    else sendJson(response, {}, 404)
  })
  before(() => server.start())
  after(() => server.stop())

  it('takes what an operator serves', async () => {
    assert.equal((await readStatus(server.url)).producerId, 3)
    assert.equal((await readStatus(`${server.url}/`)).producerId, 3)
  })

  it('knows that somebody else answers', async () => {
    for (const other of [
      [404, {}],
      [200, []],
      [200, 'hello'],
      [200, null],
      [500, statusWith({})],
    ] as const) {
      answer = () => other
      await assert.rejects(readStatus(server.url), { code: 'NO_ANSWER', message: /something else answers \(HTTP \d+\)/ })
    }
  })
})
