import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCeremonyStatistics } from '../../../../operator/app/ceremony-statistics.ts'
import { createDutyStatistics } from '../../../../operator/app/duty-statistics.ts'
import { createStatusBoard } from '../../../../operator/app/status-board.ts'
import type { Milliseconds } from '../../../../operator/core/ids.ts'
import type { Clock } from '../../../../operator/core/ports/clock.ts'
import type { ShareSigner } from '../../../../operator/core/ports/signer.ts'
import { recordingLog } from '../adapters/support/log.ts'
import { address } from '../protocol/state/support.ts'

test('an endpoint that has not answered yet is unknown since the operator started', () => {
  const start = Date.UTC(2026, 0, 2) as Milliseconds
  const board = createStatusBoard({
    operator: address(1),
    clock: { now: () => start } as Clock,
    statistics: createDutyStatistics(),
    ceremonies: createCeremonyStatistics(recordingLog()),
    shares: { pools: () => [] } as unknown as ShareSigner,
  })
  board.enter('waiting for the beacon node: connect ECONNREFUSED')
  const { endpoints, notReady, ready } = board.read()
  for (const { state, since } of [endpoints.beacon, endpoints.execution]) assert.deepEqual([state, since], ['unknown', start])
  assert.deepEqual([ready, notReady], [false, ['the operator is waiting for the beacon node: connect ECONNREFUSED']])
})
