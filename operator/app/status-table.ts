import { fetchReasonOf } from '../core/errors.ts'
import { REASONS } from '../duties/reasons.ts'
import type { DutyRecord } from '../duties/tracker.ts'
import { columns } from './cli/print.ts'
import { AppError } from './errors.ts'
import type { OperatorStatus } from './status.ts'

const TIMEOUT_MS = 5_000

/** Asks a running operator how it is. Throws `AppError` NO_ANSWER. */
export async function readStatus(url: string): Promise<OperatorStatus> {
  const expected = `expected a running operator at ${url}`
  let response: Response
  try {
    response = await fetch(new URL('/status', url), { signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    throw new AppError('NO_ANSWER', `${expected}, nobody answers: ${fetchReasonOf(cause)}`, { url }, { cause })
  }
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok && typeof body === 'object' && body !== null && 'producerId' in body) return body as OperatorStatus
  throw new AppError('NO_ANSWER', `${expected}, something else answers (HTTP ${response.status})`, { url })
}

const orDash = (value: string | number | null): string => (value === null ? '–' : String(value))
const shortened = (key: string | null): string => (key === null ? '–' : `${key.slice(0, 12)}…${key.slice(-6)}`)

/** The p-th quantile (0 … 1) of durations, or undefined of none. */
function quantile(values: readonly number[], p: number): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))]
}

function timing(values: readonly number[]): string {
  const [half, most] = [quantile(values, 0.5), quantile(values, 0.95)]
  return half === undefined || most === undefined ? '–' : `${Math.round(half)} ms, 95 % within ${Math.round(most)} ms (${values.length})`
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? ['', `${title}: none`] : ['', title, ...columns([head, ...rows]).map((line) => `  ${line}`)]
}

const STATES = { unknown: 'no answer', down: 'down', otherChain: 'on another chain' } as const

/** How a server is; its reason only where the lines above have not said it already. */
function endpoint({ state, since, reason }: OperatorStatus['endpoints']['beacon'], said: string): string {
  if (state === 'up') return 'up'
  const line = `${STATES[state]} since ${new Date(since).toISOString()}`
  return state === 'unknown' || said.includes(reason) ? line : `${line}: ${reason}`
}

/** What the counts do not say by themselves. */
function missedNotes({ counts, lastMissed }: { readonly counts: number; readonly lastMissed: readonly DutyRecord[] }): readonly string[] {
  if (counts === 0) return []
  const reasons = [...new Set(lastMissed.flatMap(({ reason }) => reason ?? []))]
  return [
    '',
    'missed: this operator did not bring the duty to its end. Other members of the vault may have: "on chain" tells.',
    ...reasons.map((reason) => `${reason}: ${REASONS[reason].long}`),
  ]
}

const onChain = ({ included }: DutyRecord): string => (included === undefined ? '–' : included ? 'yes' : 'no')

/** A status for people, as lines. */
export function statusTable(status: OperatorStatus): readonly string[] {
  const { duties, commitments, certificates } = status
  // While it starts, the one reason against being ready is the state itself.
  const reasons = status.notReady.filter((reason) => !reason.endsWith(status.state))
  const said = [status.state, ...reasons].join('\n')
  const facts: (readonly [string, string])[] = [
    ['state', status.ready ? `${status.state}, ready` : status.state],
    ...reasons.map((reason) => ['', reason] as const),
    ['producer', orDash(status.producerId)],
    ['operator', status.operator],
    ['peers', `${status.peersConnected} of ${status.peersKnown} connected`],
    ['beacon node', endpoint(status.endpoints.beacon, said)],
    ['execution', endpoint(status.endpoints.execution, said)],
    ['head', `slot ${orDash(status.head.slot)}, events up to block ${orDash(status.head.block)}`],
    ['finalized', `epoch ${orDash(status.finalized.epoch)}, events up to block ${orDash(status.finalized.block)}`],
    ['consensus', timing(status.consensusMs)],
    ['signature', timing(status.dutyMs)],
    ['DKG', timing(status.dkgMs)],
    ['round changes', String(status.roundChanges)],
    [
      'certificates',
      `${certificates.made} made, ${certificates.received} received, ${certificates.merged} merged, ${certificates.refused} refused`,
    ],
    ['points', status.lastPoints === null ? '–' : `${status.lastPoints.points} in the report of epoch ${status.lastPoints.epoch}`],
    [
      'commitments',
      `${commitments.finalized} finalized, ${commitments.pending} pending, ${commitments.disputed} disputed, ${commitments.open} open, ${commitments.dropped} dropped`,
    ],
  ]
  const pools = status.pools.map((pool) => [
    String(pool.poolId),
    pool.kind,
    pool.phase,
    String(pool.round),
    String(pool.memberIndex),
    orDash(pool.validatorIndex),
    pool.share ? 'yes' : 'no',
    shortened(pool.publicKey),
  ])
  const kinds = [
    ['attestations', duties.attestations],
    ['proposals', duties.proposals],
    ['RANDAO reveals', duties.randaoReveals],
    ['exits', duties.exits],
  ] as const
  const counts = kinds
    .filter(([, { due }]) => due > 0)
    .map(([name, { due, done, missed, included, notIncluded }]) => [name, ...[due, done, missed, included, notIncluded].map(String)])
  const ceremonies = status.ceremonies.map(({ poolId, round, stage, waitingFor, outcome }) => {
    const now = outcome ?? (waitingFor.length === 0 ? 'under way' : `waiting for members ${waitingFor.join(', ')}`)
    return [String(poolId), String(round), stage, now]
  })
  const missed = duties.lastMissed.map((record) => {
    const { type, poolId, slot, reason, detail } = record
    return [type, String(poolId), String(slot), onChain(record), reason ?? '', detail ?? '']
  })
  const allMissed = kinds.reduce((sum, [, counted]) => sum + counted.missed, 0)
  return [
    ...columns(facts),
    ...section('pools', ['pool', 'kind', 'phase', 'round', 'member', 'validator', 'share', 'public key'], pools),
    ...section('ceremonies', ['pool', 'round', 'stage', ''], ceremonies),
    ...section('duties', ['', 'due', 'done', 'missed', 'on chain', 'not on chain'], counts),
    ...section(
      missed.length < allMissed ? `last ${missed.length} of ${allMissed} missed` : 'missed',
      ['type', 'pool', 'slot', 'on chain', 'reason', 'detail'],
      missed,
    ),
    ...missedNotes({ counts: allMissed, lastMissed: duties.lastMissed }),
  ]
}
