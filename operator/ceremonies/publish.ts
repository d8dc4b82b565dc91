import { reasonOf } from '../core/errors.ts'
import type { BlsSignature, MemberIndex, Root } from '../core/ids.ts'
import type { Call, TransactionOutcome } from '../core/ports/chain.ts'
import { sleep } from '../core/time.ts'
import { publicKeyToEip2537, signatureToEip2537 } from '../protocol/bls/points.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import type { CeremonyResult } from '../protocol/messages/ceremony.ts'
import type { ParticipationMessage } from '../protocol/messages/ceremony-codec.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts, CeremonyStage } from './types.ts'

/** Slots a member waits for the one before it to publish. */
const TURN_SLOTS = 2
/** Slots a quorum waits for the rest, so that nobody is left out for being slow. */
const REST_SLOTS = 1
/** Slots after which a result that the chain does not show is sent again. */
const RETRY_SLOTS = 4

export type Outcome = { readonly result: CeremonyResult; readonly depositRoot: Root; readonly resultDigest: Root }
export type Publishing = {
  readonly ceremony: Ceremony
  readonly room: CeremonyRoom
  readonly outcome: Outcome
  readonly enter: (stage: CeremonyStage, waitingFor: readonly MemberIndex[]) => void
}
type Participant = { readonly member: MemberIndex; readonly partial: BlsSignature; readonly participation: BlsSignature }

/**
 * Stages publish and confirm: with enough members' signatures, sends the result when it is this member's turn and nobody
 * has, again as long as the chain does not show it. Never resolves: the signal aborts once the chain shows the pool's key
 * or the round is over, and it rejects with its reason.
 */
export async function publish(ports: CeremonyPorts, publishing: Publishing, signal: AbortSignal): Promise<never> {
  const { ceremony, room, enter } = publishing
  const { self, size, threshold, poolId, round } = ceremony.context
  const slots = (count: number): Promise<void> => sleep(ports.clock, count * ports.beacon.spec.slotDurationMs, signal)

  enter('publish', room.missing('participation'))
  await room.until(() => (room.got('participation').size >= threshold ? true : undefined), signal)
  await Promise.race([room.all('participation', (missing) => enter('publish', missing), signal), slots(REST_SLOTS)])
  // The first member of the shuffle leads; leadership passes on per round.
  const turns = (self - 1 - (round % size) + size) % size
  await slots(turns * TURN_SLOTS)

  const judged = new Map<MemberIndex, boolean>()
  for (;;) {
    const participants = await room.until(() => {
      const good = goodOnes(ports, publishing, judged)
      return good.length >= threshold ? good : undefined
    }, signal)
    const sent = await send(ports, completion(ports, publishing, participants), signal)
    const facts = { pool: poolId, round, participants: participants.length, ...sent }
    if (sent.status === 'included') {
      ports.log.info('ceremony published', facts)
      enter('confirm', [])
    } else {
      ports.log.warn('ceremony not published yet', facts)
    }
    await slots(RETRY_SLOTS)
  }
}

type Sent = { readonly status: TransactionOutcome['status'] | 'unsent'; readonly gasUsed?: string; readonly error?: string }

async function send({ contracts }: CeremonyPorts, call: Call, signal: AbortSignal): Promise<Sent> {
  try {
    const sent = await contracts.send(call, signal)
    return sent.status === 'included' ? { status: 'included', gasUsed: sent.gasUsed.toString() } : { status: 'refused', error: sent.error }
  } catch (error) {
    signal.throwIfAborted()
    return { status: 'unsent', error: reasonOf(error) }
  }
}

/** The members whose two signatures on the outcome hold. Each message is judged once. */
function goodOnes(
  ports: CeremonyPorts,
  { ceremony, room, outcome }: Publishing,
  judged: Map<MemberIndex, boolean>,
): readonly Participant[] {
  const isGood = ({ member, partial, participation }: ParticipationMessage): boolean => {
    const share = outcome.result.publicShares[member - 1]
    const producer = ceremony.members[member - 1]
    return (
      share !== undefined &&
      producer !== undefined &&
      ports.scheme.verify(share, outcome.depositRoot, partial) &&
      ports.scheme.verify(producer.signingKey, outcome.resultDigest, participation)
    )
  }
  const good: Participant[] = []
  for (const [member, message] of room.got('participation')) {
    const known = judged.get(member) ?? isGood(message)
    if (!judged.has(member) && !known) ports.log.warn('participation that does not verify', { pool: ceremony.context.poolId, member })
    judged.set(member, known)
    if (known) good.push(message)
  }
  return good
}

/** The transaction that registers the pool's key. */
function completion({ scheme }: CeremonyPorts, { ceremony, outcome }: Publishing, participants: readonly Participant[]): Call {
  const { poolId, threshold } = ceremony.context
  const { groupKey, publicShares, transcriptRoot } = outcome.result
  const partials = participants.map(({ member, partial }) => ({ index: member, signature: partial }))
  const aggregate = scheme.aggregate(participants.map(({ participation }) => participation))
  const result = {
    groupKey: wordsOf(publicKeyToEip2537(groupKey)),
    depositSignature: wordsOf(signatureToEip2537(scheme.combine(partials, threshold))),
    publicShares: `0x${publicShares.map((share) => share.slice(2)).join('')}`,
    transcriptRoot,
    participation: participants.reduce((bits, { member }) => bits | (1n << BigInt(member - 1)), 0n),
    aggregateSignature: wordsOf(signatureToEip2537(aggregate)),
  }
  return { contract: 'poolRegistry', method: 'completeDkg', args: [poolId, result] }
}
