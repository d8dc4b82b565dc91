import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Epoch } from '../../../../operator/core/ids.ts'
import type { BeaconNode, HeadEvent } from '../../../../operator/core/ports/beacon.ts'
import { BeaconError } from '../../../../operator/core/ports/beacon.ts'
import { DutyTable } from '../../../../operator/duties/duty-table.ts'
import { attestationDuty, recordingLog, root, slot, testPool } from './support.ts'

const { signal } = new AbortController()
const epoch = (value: number): Epoch => value as Epoch

function setUp() {
  const { pool } = testPool()
  const pools = [pool]
  const { log, lines } = recordingLog()
  const calls: string[] = []
  const answer = { slot: 100, root: root('first'), fails: undefined as Error | undefined }
  const beacon = {
    attesterDuties: async (of: Epoch) => {
      calls.push(`attester ${of}`)
      if (answer.fails !== undefined) throw answer.fails
      return { dependentRoot: answer.root, duties: [{ ...attestationDuty(pool).attester, slot: slot(answer.slot) }] }
    },
    proposerDuties: async (of: Epoch) => {
      calls.push(`proposer ${of}`)
      const stranger = { publicKey: '0x', validatorIndex: 1, slot: slot(97) }
      return { dependentRoot: answer.root, duties: [stranger, { ...stranger, validatorIndex: pool.validatorIndex, slot: slot(98) }] }
    },
  } as unknown as BeaconNode
  const table = new DutyTable({ beacon, pools: { at: () => pools }, log })
  const head = (current: string, previous: string) =>
    table.onHead({ currentDutyDependentRoot: root(current), previousDutyDependentRoot: root(previous) } as HeadEvent, epoch(3), signal)
  return { table, pools, pool, calls, answer, lines, head }
}

describe('the duty table', () => {
  it('asks once an epoch and knows only our validators', async () => {
    const { table, calls } = setUp()
    await Promise.all([table.ensure('proposer', epoch(3), signal), table.ensure('proposer', epoch(3), signal)])
    await table.ensure('proposer', epoch(3), signal)
    assert.deepEqual(calls, ['proposer 3'])
    assert.deepEqual(
      table.proposalsIn(epoch(3)).map((duty) => duty.slot),
      [98],
    )
  })

  it('asks anew when the dependent root moves, and only then', async () => {
    const { table, calls, answer, head } = setUp()
    await table.ensure('attester', epoch(3), signal)
    await head('whatever', 'first')
    assert.deepEqual(calls, ['attester 3'])
    answer.slot = 101
    answer.root = root('second')
    await head('whatever', 'second')
    await head('whatever', 'second')
    assert.deepEqual(calls, ['attester 3', 'attester 3'])
    assert.deepEqual(
      table.attestationsIn(epoch(3)).map((duty) => duty.slot),
      [101],
    )
  })

  it('asks anew when a pool is added', async () => {
    const { table, calls, pools, pool } = setUp()
    await table.ensure('attester', epoch(3), signal)
    pools.push({ ...pool, validatorIndex: 78 as typeof pool.validatorIndex })
    await table.ensure('attester', epoch(3), signal)
    assert.equal(calls.length, 2)
  })

  it('survives a node that does not answer, and asks again', async () => {
    const { table, calls, answer, lines } = setUp()
    answer.fails = new Error('no answer')
    await table.ensure('attester', epoch(3), signal)
    assert.deepEqual(
      lines.map(({ message }) => message),
      ['cannot fetch duties'],
    )
    answer.fails = undefined
    await table.ensure('attester', epoch(3), signal)
    assert.deepEqual([calls.length, table.attestationsIn(epoch(3)).length], [2, 1])
  })

  it('asks for a past epoch until the node refuses', async () => {
    const { table, calls, answer } = setUp()
    answer.fails = new BeaconError('UNREACHABLE', 'no answer')
    await table.ensurePast(epoch(2), signal)
    answer.fails = new BeaconError('REFUSED', 'too old')
    await table.ensurePast(epoch(2), signal)
    await table.ensurePast(epoch(2), signal)
    assert.equal(calls.length, 2)
  })

  it('asks nothing without pools', async () => {
    const { table, calls, pools } = setUp()
    pools.length = 0
    await table.ensure('attester', epoch(3), signal)
    assert.deepEqual(calls, [])
  })
})
