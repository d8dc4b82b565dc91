import type { Commitment, CommitmentVote, Verdict } from '../core/network.ts'
import type { CommitmentContent } from '../core/report.ts'
import { type CallPorts, type Inputs, one, type Prepared } from './types.ts'

/** What follows on disputes: votes end, liars' committees are judged to the last member, openers pay for votes that failed. */
export type VerdictTask =
  | { readonly kind: 'close-vote'; readonly id: string; readonly commitmentId: number }
  | {
      readonly kind: 'slash-signers'
      readonly id: string
      readonly court: Verdict['court']
      readonly commitmentId: number
      readonly content: CommitmentContent
    }
  | {
      readonly kind: 'charge-openers'
      readonly id: string
      readonly commitmentId: number
      readonly words: number
      readonly charged: ReadonlyMap<number, bigint>
    }

const MEMBERS_A_CALL = 32
const OPENERS_A_CALL = 64
/** Positions in a word of a bitmap. */
const WORD = 256

export function verdictTasks({ state, nowSeconds }: Inputs): readonly VerdictTask[] {
  const { votes, verdicts } = state.aftermath
  const tasks: VerdictTask[] = []
  for (const [id, vote] of votes) {
    const made = state.commitments.get(id)
    if (made === undefined) continue
    if (vote.outcome === undefined && (nowSeconds > vote.deadline || made.phase === 'dropped')) {
      tasks.push({ kind: 'close-vote', id: `close-vote/${id}`, commitmentId: id })
    }
    if (vote.outcome === 'convicted' && !verdicts.has(id)) tasks.push(slashing(made, { court: 'votes', judged: 0, size: 0 }))
    if (vote.outcome === 'upheld') tasks.push(...chargeTasks(id, vote, state.periods.get(vote.period)?.size ?? 0))
  }
  for (const [id, verdict] of verdicts) {
    const made = state.commitments.get(id)
    if (made !== undefined && verdict.judged < verdict.size) tasks.push(slashing(made, verdict))
  }
  return tasks
}

const slashing = ({ id, content }: Commitment, { court, judged }: Verdict): VerdictTask => ({
  kind: 'slash-signers',
  id: `slash-signers/${court}/${id}/${judged}`,
  court,
  commitmentId: id,
  content,
})

function chargeTasks(commitmentId: number, { openers, charged }: CommitmentVote, listSize: number): readonly VerdictTask[] {
  const paid = [...charged.values()].reduce((sum, bits) => sum + countBits(bits), 0)
  if (paid >= openers) return []
  const words = Math.ceil(listSize / WORD)
  return [{ kind: 'charge-openers', id: `charge-openers/${commitmentId}/${paid}`, commitmentId, words, charged }]
}

const countBits = (bits: bigint): number => bits.toString(2).replaceAll('0', '').length

export async function prepareVerdict(task: VerdictTask, { contracts }: CallPorts): Promise<Prepared> {
  switch (task.kind) {
    case 'close-vote':
      return one('votes', 'close', [task.commitmentId])
    case 'slash-signers':
      return one(task.court, 'slashSigners', [task.commitmentId, task.content, MEMBERS_A_CALL])
    case 'charge-openers':
      for (let word = 0; word < task.words; word++) {
        const voters = await contracts.read({ contract: 'votes', method: 'voters', args: [task.commitmentId, word] })
        const { openers } = voters as { readonly openers: bigint }
        if ((openers & ~(task.charged.get(word) ?? 0n)) > 0n) {
          return one('votes', 'chargeOpeners', [task.commitmentId, word, OPENERS_A_CALL])
        }
      }
      return { calls: [] }
  }
}
