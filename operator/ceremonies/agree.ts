import type { MemberIndex } from '../core/ids.ts'
import { decodeTranscript, encodeTranscript, type Transcript, transcriptBytes } from '../protocol/dkg/transcript.ts'
import { CodecError } from '../protocol/messages/bytes.ts'
import { domainSeparatorOf } from '../protocol/messages/eip712.ts'
import { leaderOf, qbftIdentity } from '../protocol/qbft/identity.ts'
import { QbftSession } from '../protocol/qbft/session.ts'
import { INSTANCE_CODES, type QbftInstance } from '../protocol/qbft/types.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts } from './types.ts'

/** Round 1 of the transcript's QBFT in slots: everyone has all messages by then, so it is short. */
const FIRST_ROUND_SLOTS = 1

type Agreeing = { readonly ceremony: Ceremony; readonly room: CeremonyRoom; readonly transcript: Transcript }

/**
 * Stage agree: one transcript for the whole vault, by the duties' QBFT. A member signs only the transcript it has itself
 * seen, and as every member's join and dealing are needed, that can only be one. The session goes on answering late
 * members until the returned function is called. Rejects with `CeremonyFault`, or with the signal's reason.
 */
export function agree(
  ports: CeremonyPorts,
  agreeing: Agreeing,
  signal: AbortSignal,
): { readonly decided: Promise<void>; readonly close: () => void } {
  const { ceremony, room, transcript } = agreeing
  const { context, members } = ceremony
  const { poolId, round, size } = context
  const value = encodeTranscript(transcript)
  const instance: QbftInstance = { poolId, slot: round, duty: INSTANCE_CODES.ceremony }
  const { promise, resolve } = Promise.withResolvers<void>()
  const session = new QbftSession({
    size,
    quorum: context.threshold,
    self: context.self,
    leaderOf: leaderOf(instance, size),
    firstRoundMs: FIRST_ROUND_SLOTS * ports.beacon.spec.slotDurationMs,
    isValid: (proposed) => {
      const same = Buffer.compare(proposed, value) === 0
      if (!same) showDifferences(ports, agreeing, proposed)
      return same
    },
    identity: qbftIdentity({
      instance,
      domainSeparator: domainSeparatorOf(context),
      key: ports.operatorKey,
      members: members.map(({ operator }) => operator),
      verifyEcdsa: ports.verifyEcdsa,
      limits: { size, maxValueBytes: transcriptBytes(size) },
      onRefused: (reason) => ports.log.error('the gate refused a transcript message', { pool: poolId, round, reason: String(reason) }),
    }),
    clock: ports.clock,
    broadcast: (message) => room.sayQbft(message),
    send: (to: MemberIndex, message) => room.sayQbft(message, to),
    onDecided: (decision) => {
      // Another transcript would need as many liars as it takes to make the key alone: nothing is revealed for it.
      if (Buffer.compare(decision.value, value) === 0) resolve()
      else ports.log.error('a quorum decided on another transcript', { pool: poolId, round })
    },
    onFault: ({ member, fault }) => ports.log.warn('fault in the agreement on a transcript', { pool: poolId, member, fault }),
    // Every round's leader proposes the one transcript it has seen.
    onRound: (entered) => {
      if (entered > 1) ports.log.info('round change in the agreement on a transcript', { pool: poolId, round: entered })
      session.propose(value)
    },
  })
  session.start()
  room.onQbft((from, message) => session.receive(from, message))
  return { decided: Promise.race([promise, room.until<never>(() => undefined, signal)]), close: () => session.close() }
}

/** Another transcript than own: what self heard from the members it differs in is shown to all, so that a double tongue comes out. */
function showDifferences(ports: CeremonyPorts, { ceremony, room, transcript }: Agreeing, proposed: Uint8Array): void {
  try {
    const other = decodeTranscript(proposed, ceremony.context.size)
    for (const at of ceremony.members.keys()) {
      const member = (at + 1) as MemberIndex
      const differs = other.joinKeys[at] !== transcript.joinKeys[at] || other.dealingHashes[at] !== transcript.dealingHashes[at]
      if (!differs) continue
      ports.log.warn('a proposed transcript differs from what was said here', { pool: ceremony.context.poolId, member })
      room.show('join', member)
      room.show('dealing', member)
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
  }
}
