import type { BlsSignature, ProducerId } from '../core/ids.ts'
import type { Commitment, Producer } from '../core/network.ts'
import type { DerivedReport, Reference } from '../core/report.ts'
import { thresholdOf } from '../core/vault.ts'
import { publicKeyToEip2537, signatureToEip2537 } from '../protocol/bls/points.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import { absentBitfield } from './absent.ts'
import type { ReportPorts } from './ports.ts'
import { struckFrom, turnsUntil } from './schedule.ts'

/** A leader that has not committed within this many slots is followed by the next one. */
export const LEADER_SLOTS = 2

type Agreed = {
  readonly derived: DerivedReport
  readonly reference: Reference
  readonly committee: readonly Producer[]
  readonly signers: ReadonlyMap<ProducerId, BlsSignature>
  /** When this member first had its own report, milliseconds. */
  readonly since: number
}

/** Stage commit: with signatures of ⌈2/3⌉ of the committee, the member whose turn it is sends them. Returns what it now waits for. */
export async function commit(ports: ReportPorts, agreed: Agreed, signal: AbortSignal): Promise<string> {
  const { committee, signers, derived, reference } = agreed
  const needed = thresholdOf(committee.length)
  if (signers.size < needed) return `${signers.size} of ${needed} signatures`
  const turn =
    agreed.since +
    turnsUntil(committee, ports.self, derived.report.epoch, ports.contracts.parameters) * LEADER_SLOTS * ports.beacon.spec.slotDurationMs
  if (ports.clock.now() < turn) return 'the leader commits first'

  const present = committee.map(({ id }) => signers.has(id))
  const struck = struckFrom(ports.chain.view().head, derived.report.epoch, ports.contracts.parameters)
  const absentKeys = committee
    .filter(({ id }) => !signers.has(id) && !struck.includes(id))
    .map(({ signingKey }) => wordsOf(publicKeyToEip2537(signingKey)))
  const signature = ports.aggregation.aggregate(committee.flatMap(({ id }) => signers.get(id) ?? []))
  const { header } = reference
  const outcome = await ports.contracts.send(
    {
      contract: 'stateCommitments',
      method: 'commitState',
      args: [
        derived.report,
        {
          slot: header.slot,
          proposerIndex: header.proposerIndex,
          parentRoot: header.parentRoot,
          stateRoot: header.stateRoot,
          bodyRoot: header.bodyRoot,
        },
        absentBitfield(present),
        absentKeys,
        wordsOf(signatureToEip2537(signature)),
      ],
    },
    signal,
  )
  ports.log.info('report committed', {
    epoch: derived.report.epoch,
    ...outcome,
    gasUsed: outcome.status === 'included' ? outcome.gasUsed.toString() : undefined,
  })
  return outcome.status === 'included' ? 'the commitment to show' : outcome.error
}

type Posting = {
  readonly commitment: Commitment
  readonly derived: DerivedReport
  readonly committee: readonly Producer[]
  /** When this member first saw as many pages posted as there are now, milliseconds. */
  readonly since: number
}

/** Posts the pages of the own report that an open commitment still lacks, when it is this member's turn. True when none is missing. */
export async function postPages(
  ports: ReportPorts,
  { commitment, derived, committee, since }: Posting,
  signal: AbortSignal,
): Promise<boolean> {
  const missing = derived.pages.slice(commitment.pagesPosted)
  const turns = turnsUntil(committee, ports.self, commitment.epoch, ports.contracts.parameters)
  // Each page is a turn anew: nobody pays for what another, page by page, is at.
  const turn = since + turns * LEADER_SLOTS * ports.beacon.spec.slotDurationMs
  if (missing.length > 0 && ports.clock.now() < turn) return false
  for (const [at, page] of missing.entries()) {
    const number = commitment.pagesPosted + at
    const outcome = await ports.contracts.send(
      { contract: 'stateCommitments', method: 'postPage', args: [commitment.id, commitment.content, number, page] },
      signal,
    )
    // Pages go in order: after one that is refused none is taken. WrongPage: another operator was faster.
    if (outcome.status === 'refused') {
      if (outcome.error !== 'WrongPage') ports.log.info('page refused', { commitment: commitment.id, page: number, error: outcome.error })
      return false
    }
  }
  return missing.length === 0
}
