import { STAGES } from '../ceremonies/types.ts'
import type { MemberIndex } from '../core/ids.ts'
import { columns } from './cli/print.ts'
import type { CeremonyStatus, OperatorStatus } from './status.ts'

const KINDS = { dkg: 'key generation', rotation: 'handover' } as const

/** A span for people: "1 h 5 min", "3 min 20 s", "12 s". */
function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const name = ({ poolId, kind, round }: CeremonyStatus): string => `pool ${poolId}, ${KINDS[kind]}, round ${round}`

/** A member by its place in the vault, and the producer it is where that is known. */
function memberText({ members }: CeremonyStatus, index: MemberIndex): string {
  const producer = members[index - 1]
  return producer === undefined ? `member ${index}` : `member ${index} (producer ${producer})`
}

function underWay(ceremony: CeremonyStatus, { producerId, now }: { readonly producerId: number | null; readonly now: number }): string[] {
  const { stage, members, waitingFor, deadlineAt } = ceremony
  const vault = members.map((id, at) => `${at + 1}: producer ${id}${id === producerId ? ' (this one)' : ''}`)
  const left = deadlineAt === null ? [] : [['time left', deadlineAt > now ? spanText(deadlineAt - now) : 'none: its deadline is over']]
  const rows = [
    ['stage', `${stage} (${STAGES.indexOf(stage) + 1} of ${STAGES.length})`],
    ...(vault.length > 0 ? [['vault', vault.join(', ')]] : []),
    ['waits for', waitingFor.length === 0 ? 'nobody' : waitingFor.map((index) => memberText(ceremony, index)).join(', ')],
    ...left,
  ]
  return [name(ceremony), ...columns(rows).map((line) => `  ${line}`), '']
}

/** The ceremonies of an operator for people, as lines: those under way, then what became of the last ones. `now` in Unix milliseconds. */
export function ceremonyTable({ ceremonies, producerId }: OperatorStatus, now: number): readonly string[] {
  const [open, ended] = [
    ceremonies.filter(({ outcome }) => outcome === undefined),
    ceremonies.filter(({ outcome }) => outcome !== undefined),
  ]
  return [
    ...(open.length === 0 ? ['No ceremony is under way.', ''] : open.flatMap((ceremony) => underWay(ceremony, { producerId, now }))),
    ended.length === 0 ? 'None has ended since this operator started.' : 'Ended, the last one first:',
    ...columns(ended.toReversed().map((ceremony) => [name(ceremony), ceremony.outcome ?? ''])).map((line) => `  ${line}`),
  ]
}
