import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDutyStatistics } from '../../../../operator/app/duty-statistics.ts'
import { allOf, createMetrics } from '../../../../operator/app/metrics.ts'

describe('duty statistics', () => {
  it('count what became of duties, and why they were missed', () => {
    const { observe, summary } = createDutyStatistics()
    for (let i = 0; i < 3; i++) observe.due('attestation')
    observe.completed('attestation')
    observe.missed('attestation', 'TOO_FEW_PARTIALS')
    observe.missed('attestation', 'TOO_FEW_PARTIALS')
    observe.included('attestation', 1)
    observe.notIncluded('proposal')
    assert.deepEqual(summary().counts.attestations, { due: 3, done: 1, missed: 2, included: 1, notIncluded: 0 })
    assert.equal(summary().counts.proposals.notIncluded, 1)
    assert.deepEqual(summary().missedBecause, { TOO_FEW_PARTIALS: 2 })
  })

  it('count a duty decided after the first round as a round change', () => {
    const { observe, summary } = createDutyStatistics()
    observe.decided('attestation', 1)
    assert.equal(summary().roundChanges, 0)
    observe.decided('attestation', 2)
    observe.decided('proposal', 4)
    assert.equal(summary().roundChanges, 2)
  })

  it('keep the last thousand durations of what is agreed on, newest last', () => {
    const { observe, summary } = createDutyStatistics()
    for (let i = 0; i < 1_200; i++) observe.stage('attestation', 'agree', i + 0.123456)
    observe.stage('randao', 'agree', 9_999)
    observe.stage('attestation', 'sign', 9_999)
    observe.latency('exit', 9_999)
    observe.latency('proposal', 7)
    const { consensusMs, dutyMs } = summary()
    assert.equal(consensusMs.length, 1_000)
    assert.deepEqual([consensusMs[0], consensusMs.at(-1)], [200.12, 1_199.12])
    assert.deepEqual(dutyMs, [7])
  })

  it('reach Prometheus as well', async () => {
    const metrics = createMetrics()
    const statistics = createDutyStatistics()
    const both = allOf([metrics.duties, statistics.observe])
    both.due('proposal')
    both.decided('proposal', 2)
    both.missed('proposal', 'NO_RANDAO')
    both.latency('proposal', 40)
    both.messageDropped('not-now')
    const text = await metrics.expose({
      ready: true,
      peersConnected: 3,
      peersKnown: 6,
      endpoints: { beacon: { state: 'up' }, execution: { state: 'down' } },
      pools: [{ phase: 'funded' }, { phase: 'funded' }],
      certificates: { made: 2, received: 3, merged: 1, refused: 0 },
      lastPoints: { epoch: 8, points: -150 },
      head: { block: 5 },
      finalized: { block: null },
    } as never)
    for (const line of [
      'openpools_duty_certificates{what="received"} 3',
      'openpools_last_report_points -150',
      'openpools_duties_due_total{type="proposal"} 1',
      'openpools_duties_due_total{type="attestation"} 0',
      'openpools_duties_decided_total{type="proposal",round="later"} 1',
      'openpools_duties_missed_total{type="proposal",reason="NO_RANDAO"} 1',
      'openpools_duty_latency_seconds_sum{type="proposal"} 0.04',
      'openpools_duty_messages_dropped_total{reason="not-now"} 1',
      'openpools_ready 1',
      'openpools_endpoint_up{endpoint="execution"} 0',
      'openpools_pools{phase="funded"} 2',
      'openpools_synced_block{tag="head"} 5',
    ]) {
      assert.ok(text.split('\n').includes(line), `no line ${line}`)
    }
    assert.equal(statistics.summary().roundChanges, 1)
  })
})
