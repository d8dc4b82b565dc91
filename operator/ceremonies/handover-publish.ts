import { reasonOf } from '../core/errors.ts'
import type { MemberIndex, Root } from '../core/ids.ts'
import type { Call } from '../core/ports/chain.ts'
import { sleep } from '../core/time.ts'
import { signatureToEip2537 } from '../protocol/bls/points.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import { packedShares } from '../protocol/messages/handover.ts'
import type { HandoverMessage } from '../protocol/messages/handover-codec.ts'
import type { HandoverResult } from '../protocol/rotation/transcript.ts'
import type { Playing } from './handover-room.ts'
import type { HandoverPorts } from './handover-types.ts'

/** Slots a member waits for the one before it to publish. */
const TURN_SLOTS = 2
/** Slots a threshold waits for the rest, so that nobody is left out for being slow. */
const REST_SLOTS = 1
/** Slots after which a result that the chain does not show is sent again. */
const RETRY_SLOTS = 4

type Participation = Extract<HandoverMessage, { kind: 'participation' }>
type Publishing = Playing & { readonly result: HandoverResult; readonly digest: Root; readonly receiver: MemberIndex }

/**
 * Stages publish and confirm: with enough members' signatures, sends the result when it is this member's turn and nobody has, again
 * as long as the chain does not show it. Never resolves: the signal aborts once it is final that the handover is over.
 */
export async function publishHandover(ports: HandoverPorts, publishing: Publishing, signal: AbortSignal): Promise<never> {
  const { setup, room, enter, receiver } = publishing
  const { poolId, round, size, threshold } = setup.context
  const everyone = Array.from({ length: size }, (_, at) => (at + 1) as MemberIndex)
  const slots = (count: number): Promise<void> => sleep(ports.clock, count * ports.beacon.spec.slotDurationMs, signal)
  const judged = new Map<Participation, boolean>()
  const good = (): readonly Participation[] => {
    const said = everyone.flatMap((member) => room.board.said('participation', member)[0] ?? [])
    for (const one of said) {
      if (judged.has(one)) continue
      judged.set(one, isGood(ports, publishing, one))
      if (!judged.get(one)) ports.log.warn('participation that does not verify', { pool: poolId, round, member: one.member })
    }
    return said.filter((one) => judged.get(one))
  }

  enter('publish', room.board.missing('participation', everyone))
  await room.board.until(() => (good().length >= threshold ? true : undefined), signal)
  await Promise.race([room.board.until(() => (good().length === size ? true : undefined), signal), slots(REST_SLOTS)])
  // The first member of the shuffle leads; leadership passes on per round.
  await slots(((receiver - 1 - (round % size) + size) % size) * TURN_SLOTS)
  // Sent again when a reorganization takes the result back; until then this member only answers those that are late.
  const isOpen = (): boolean => ports.chain.view().head.pools.get(poolId)?.rotation?.round === round
  for (;;) {
    if (!isOpen()) {
      enter('confirm')
      await addOwnSignature(ports, publishing, signal)
      await slots(RETRY_SLOTS)
      continue
    }
    const participants = good()
    const facts = { pool: poolId, round, participants: participants.length }
    const sent = await send(ports, completion(ports, publishing, participants), signal)
    if (sent === undefined) {
      ports.log.info('handover published', facts)
      enter('confirm')
    } else {
      ports.log.warn('handover not published yet', { ...facts, error: sent })
    }
    await slots(RETRY_SLOTS)
  }
}

/** Who was late for the result is named and replaced, unless it still signs it in time. */
async function addOwnSignature(ports: HandoverPorts, { setup, digest, receiver }: Publishing, signal: AbortSignal): Promise<void> {
  const { poolId, round } = setup.context
  try {
    const open = (await ports.contracts.read({ contract: 'ceremonies', method: 'openOf', args: [poolId] })) as OpenResult
    const isMissing = ((BigInt(open.participation) >> BigInt(receiver - 1)) & 1n) === 0n
    if (Number(open.deadline) === 0 || Number(open.round) !== round || !isMissing) return
    const signature = wordsOf(signatureToEip2537(ports.signingKey.sign(digest)))
    const args = [poolId, 1n << BigInt(receiver - 1), signature]
    const error = await send(ports, { contract: 'ceremonies', method: 'addParticipation', args }, signal)
    ports.log.info('signature added to a handover result', { pool: poolId, round, ...(error !== undefined && { error }) })
  } catch (error) {
    signal.throwIfAborted()
    ports.log.warn('cannot tell who signed a handover result', { pool: poolId, round, reason: reasonOf(error) })
  }
}

/** As the contract keeps it: `deadline` 0 when nobody is missing from the pool's result. */
type OpenResult = { readonly deadline: bigint; readonly round: bigint; readonly participation: bigint }

/** Why it was not included; undefined when it was. */
async function send({ contracts }: HandoverPorts, call: Call, signal: AbortSignal): Promise<string | undefined> {
  try {
    const sent = await contracts.send(call, signal)
    return sent.status === 'included' ? undefined : sent.error
  } catch (error) {
    signal.throwIfAborted()
    return reasonOf(error)
  }
}

/** Under the member's new public share, which shows that it holds its share, and under its signing key. */
function isGood(
  { scheme }: HandoverPorts,
  { setup, result, digest }: Publishing,
  { member, partial, participation }: Participation,
): boolean {
  const share = result.publicShares[member - 1]
  const producer = setup.members[member - 1]
  return (
    share !== undefined &&
    producer !== undefined &&
    scheme.verify(share, digest, partial) &&
    scheme.verify(producer.signingKey, digest, participation)
  )
}

function completion({ scheme }: HandoverPorts, { setup, result }: Publishing, participants: readonly Participation[]): Call {
  const aggregate = scheme.aggregate(participants.map(({ participation }) => participation))
  const published = {
    publicShares: packedShares(result),
    transcriptRoot: result.transcriptRoot,
    participation: participants.reduce((bits, { member }) => bits | (1n << BigInt(member - 1)), 0n),
    aggregateSignature: wordsOf(signatureToEip2537(aggregate)),
  }
  return { contract: 'rotations', method: 'completeRotation', args: [setup.context.poolId, published] }
}
