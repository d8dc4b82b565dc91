import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChainEvent } from '../../../../operator/core/events.ts'
import type { Call, Parameters } from '../../../../operator/core/ports/chain.ts'
import type { CallPorts } from '../../../../operator/keeper/types.ts'
import { prepareVerdict, type VerdictTask, verdictTasks } from '../../../../operator/keeper/verdicts.ts'
import { emptyState, foldEvents } from '../../../../operator/protocol/state/network-state.ts'
import { content, epoch, event, root } from '../protocol/state/support.ts'

const frozen = event('Periods.ListFrozen', 1, { period: 3, size: 300 })
const committed = event('StateCommitments.StateCommitted', 10, { commitmentId: 5, epoch: epoch(12), digest: root(2), content: content() })
const opened = event('Votes.VoteOpened', 11, { commitmentId: 5, period: 3, deadline: 500, openers: 3 })
const closed = (outcome: 'upheld' | 'dropped' | 'convicted') => event('Votes.VoteClosed', 12, { commitmentId: 5, outcome })
const charged = (word: number, positions: bigint) => event('Votes.OpenersCharged', 13, { commitmentId: 5, word, positions })
const judged = (court: 'Disputes' | 'Votes', count: number) =>
  event(`${court}.SignersJudged`, 13, { commitmentId: 5, judged: count, size: 128 })

function due(events: readonly ChainEvent[], nowSeconds = 0): readonly VerdictTask[] {
  const state = foldEvents(emptyState(), [frozen, committed, ...events])
  return verdictTasks({ state, parameters: {} as Parameters, epoch: epoch(20), nowSeconds })
}
const ids = (events: readonly ChainEvent[], nowSeconds = 0): readonly string[] => due(events, nowSeconds).map(({ id }) => id)

describe('what follows on disputes', () => {
  it('a vote is closed after its deadline, or at once when a fraud proof was faster', () => {
    assert.deepEqual(ids([opened], 500), [])
    assert.deepEqual(ids([opened], 501), ['close-vote/5'])
    const dropped = event('StateCommitments.CommitmentDropped', 12, { commitmentId: 5, epoch: epoch(12) })
    assert.deepEqual(ids([opened, dropped], 20), ['close-vote/5'])
    assert.deepEqual(ids([opened, closed('dropped')], 501), [])
  })

  it('a large committee is judged to its last member, by the court that found the lie', async () => {
    assert.deepEqual(ids([judged('Disputes', 32)]), ['slash-signers/disputes/5/32'])
    assert.deepEqual(ids([judged('Disputes', 128)]), [])
    assert.deepEqual(ids([opened, closed('convicted')]), ['slash-signers/votes/5/0'])
    assert.deepEqual(ids([opened, closed('convicted'), judged('Votes', 64)]), ['slash-signers/votes/5/64'])
    assert.deepEqual(ids([opened, closed('convicted'), judged('Votes', 128)]), [])
    const [task] = due([judged('Disputes', 32)])
    assert.ok(task)
    const { calls } = (await prepareVerdict(task, {} as CallPorts)) as { readonly calls: readonly Call[] }
    assert.deepEqual(calls, [{ contract: 'disputes', method: 'slashSigners', args: [5, content(), 32] }])
  })

  it('openers of a vote that failed are charged, word by word, until each has paid', async () => {
    const openers = [0b11n, 0b100n]
    const contracts = { read: async ({ args }: Call) => ({ all: 2n ** 256n - 1n, openers: openers[Number(args[1])] }) }
    const next = async (...events: readonly ChainEvent[]): Promise<unknown> => {
      const [task] = due([opened, closed('upheld'), ...events])
      if (task === undefined) return undefined
      const { calls } = (await prepareVerdict(task, { contracts } as unknown as CallPorts)) as { readonly calls: readonly Call[] }
      return calls[0]?.args
    }
    assert.deepEqual(await next(), [5, 0, 64])
    assert.deepEqual(await next(charged(0, 0b01n)), [5, 0, 64])
    assert.deepEqual(await next(charged(0, 0b01n), charged(0, 0b10n)), [5, 1, 64])
    assert.equal(await next(charged(0, 0b11n), charged(1, 0b100n)), undefined)
  })
})
