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

const membersText = (ceremony: CeremonyStatus, indices: readonly MemberIndex[]): string =>
  indices.map((index) => memberText(ceremony, index)).join(', ')

function waitsFor(ceremony: CeremonyStatus, now: number): string {
  const { waitingFor, patienceUntil } = ceremony
  if (waitingFor.length === 0) return 'nobody'
  const patience = patienceUntil === null ? '' : `; it goes on without them in ${spanText(patienceUntil - now)}`
  return `${membersText(ceremony, waitingFor)}${patience}`
}

/** Complaints with their verdicts, and the rules broken: one line each. */
function quarrels(ceremony: CeremonyStatus): readonly (readonly [string, string])[] {
  const complaints = ceremony.complaints.map(({ member, dealer, guilty, fault }) => {
    const [accuser, accused] = [memberText(ceremony, member), memberText(ceremony, dealer)]
    return ['complaint', `${accuser} about ${accused}: ${guilty === 'dealer' ? accused : accuser} is at fault (${fault})`] as const
  })
  return [...complaints, ...ceremony.faults.map(({ rule, reason }) => ['fault', `${reason} (${rule})`] as const)]
}

/** Past the deadline: who has answered, and who is named for not having. */
function rollCalled(ceremony: CeremonyStatus): readonly (readonly [string, string])[] {
  const { rollCall } = ceremony
  if (rollCall === undefined) return []
  const { answered, absent, namedBy } = rollCall
  if (absent.length === 0) return [['roll call', 'all have answered']]
  const naming = namedBy.length === 0 ? 'named by nobody yet' : `named by ${membersText(ceremony, namedBy)}`
  return [
    ['roll call', `answered by ${membersText(ceremony, answered)}`],
    ['absent', `${membersText(ceremony, absent)}; ${naming}`],
  ]
}

function underWay(ceremony: CeremonyStatus, { producerId, now }: { readonly producerId: number | null; readonly now: number }): string[] {
  const { stage, since, members, roster, qualified, deadlineAt } = ceremony
  const vault = members.map((id, at) => `${at + 1}: producer ${id}${id === producerId ? ' (this one)' : ''}`)
  const rows = [
    ['stage', `${stage} (${STAGES.indexOf(stage) + 1} of ${STAGES.length}), for ${spanText(now - since)}`],
    ...(vault.length > 0 ? [['vault', vault.join(', ')]] : []),
    ...(roster === null ? [] : [['takes part', membersText(ceremony, roster)]]),
    ...(qualified === null ? [] : [['dealings of', membersText(ceremony, qualified)]]),
    ['waits for', waitsFor(ceremony, now)],
    ...quarrels(ceremony),
    ...(deadlineAt === null ? [] : [['time left', deadlineAt > now ? spanText(deadlineAt - now) : 'none: its deadline is over']]),
    ...rollCalled(ceremony),
  ]
  return [name(ceremony), ...columns(rows).map((line) => `  ${line}`), '']
}

/** What became of a ceremony; of one that failed the outcome names who and why, of others what went wrong all the same is told. */
function ended(ceremony: CeremonyStatus): readonly string[] {
  const { outcome = '', stage } = ceremony
  const [failed, told] = [outcome !== 'registered', quarrels(ceremony).filter(([, text]) => !outcome.includes(text))]
  const called = failed ? rollCalled(ceremony) : []
  const rows = [...told, ...called].map(([kind, text]) => `    ${kind.padEnd('complaint'.length)}  ${text}`)
  return [`  ${name(ceremony)}: ${failed ? `failed at "${stage}": ` : ''}${outcome}`, ...rows]
}

/** The ceremonies of an operator for people, as lines: those under way, then what became of the last ones. `now` in Unix milliseconds. */
export function ceremonyTable({ ceremonies, producerId }: OperatorStatus, now: number): readonly string[] {
  const open = ceremonies.filter(({ outcome }) => outcome === undefined)
  const over = ceremonies.filter(({ outcome }) => outcome !== undefined)
  return [
    ...(open.length === 0 ? ['No ceremony is under way.', ''] : open.flatMap((ceremony) => underWay(ceremony, { producerId, now }))),
    over.length === 0 ? 'None has ended since this operator started.' : 'Ended, the last one first:',
    ...over.toReversed().flatMap(ended),
  ]
}
