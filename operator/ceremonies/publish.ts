import type { BlsSignature, MemberIndex, Root } from '../core/ids.ts'
import { sleep } from '../core/time.ts'
import { publicKeyToEip2537, signatureToEip2537 } from '../protocol/bls/points.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import type { CeremonyResult } from '../protocol/messages/ceremony.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts } from './types.ts'

/** Slots a member waits for the one before it to publish. */
const TURN_SLOTS = 2
/** Slots a quorum waits for the rest, so that nobody is left out for being slow. */
const REST_SLOTS = 1

export type Outcome = { readonly result: CeremonyResult; readonly depositRoot: Root; readonly resultDigest: Root }
type Participant = { readonly member: MemberIndex; readonly partial: BlsSignature; readonly participation: BlsSignature }

/** The members whose two signatures on the outcome hold. */
function participants(ports: CeremonyPorts, { ceremony, room, outcome }: Publishing): readonly Participant[] {
  const good: Participant[] = []
  for (const [member, { partial, participation }] of room.got('participation')) {
    const share = outcome.result.publicShares[member - 1]
    const producer = ceremony.members[member - 1]
    if (share === undefined || producer === undefined) continue
    const holds =
      ports.scheme.verify(share, outcome.depositRoot, partial) &&
      ports.scheme.verify(producer.signingKey, outcome.resultDigest, participation)
    if (holds) good.push({ member, partial, participation })
    else ports.log.warn('participation that does not verify', { pool: ceremony.context.poolId, member })
  }
  return good
}

export type Publishing = { readonly ceremony: Ceremony; readonly room: CeremonyRoom; readonly outcome: Outcome }

/** Stage publish: with enough members' signatures, sends the result when it is this member's turn and nobody has. */
export async function publish(ports: CeremonyPorts, publishing: Publishing, signal: AbortSignal): Promise<void> {
  const { ceremony, room, outcome } = publishing
  const { context } = ceremony
  const slotMs = ports.beacon.spec.slotDurationMs
  await room.until(() => (participants(ports, publishing).length >= context.threshold ? true : undefined), signal)
  await Promise.race([room.all('participation', signal), sleep(ports.clock, REST_SLOTS * slotMs, signal)])
  // The first member of the shuffle leads; leadership passes on per round.
  const turns = (context.self - 1 - (context.round % context.size) + context.size) % context.size
  await sleep(ports.clock, turns * TURN_SLOTS * slotMs, signal)

  const signers = participants(ports, publishing)
  const depositSignature = ports.scheme.combine(
    signers.map(({ member, partial }) => ({ index: member, signature: partial })),
    context.threshold,
  )
  const { groupKey, publicShares, transcriptRoot } = outcome.result
  const sent = await ports.contracts.send(
    {
      contract: 'poolRegistry',
      method: 'completeDkg',
      args: [
        context.poolId,
        {
          groupKey: wordsOf(publicKeyToEip2537(groupKey)),
          depositSignature: wordsOf(signatureToEip2537(depositSignature)),
          publicShares: `0x${publicShares.map((share) => share.slice(2)).join('')}`,
          transcriptRoot,
          participation: signers.reduce((bits, { member }) => bits | (1n << BigInt(member - 1)), 0n),
          aggregateSignature: wordsOf(signatureToEip2537(ports.scheme.aggregate(signers.map(({ participation }) => participation)))),
        },
      ],
    },
    signal,
  )
  ports.log.info('ceremony published', {
    pool: context.poolId,
    round: context.round,
    status: sent.status,
    ...(sent.status === 'included' ? { gasUsed: sent.gasUsed.toString() } : { error: sent.error }),
  })
}
