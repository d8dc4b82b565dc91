import type { MemberIndex } from '../core/ids.ts'
import { encodeTranscript, type Transcript, transcriptBytes } from '../protocol/dkg/transcript.ts'
import { domainSeparatorOf } from '../protocol/messages/eip712.ts'
import { leaderOf, qbftIdentity } from '../protocol/qbft/identity.ts'
import { QbftSession } from '../protocol/qbft/session.ts'
import { INSTANCE_CODES, type QbftInstance } from '../protocol/qbft/types.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts } from './types.ts'

/** Round 1 of the transcript's QBFT in slots: everyone has all messages by then, so it is short. */
const FIRST_ROUND_SLOTS = 1

/**
 * Stage agree: one transcript for the whole vault, by the duties' QBFT. A member signs only the transcript it has itself
 * seen, and as every member's join and dealing are needed, that can only be one. The session goes on answering late
 * members until the returned function is called.
 */
export function agree(
  ports: CeremonyPorts,
  { ceremony, room, transcript }: { readonly ceremony: Ceremony; readonly room: CeremonyRoom; readonly transcript: Transcript },
  signal: AbortSignal,
): { readonly decided: Promise<void>; readonly close: () => void } {
  const { context, members } = ceremony
  const value = encodeTranscript(transcript)
  const instance: QbftInstance = { poolId: context.poolId, slot: context.round, duty: INSTANCE_CODES.ceremony }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const session = new QbftSession({
    size: context.size,
    quorum: context.threshold,
    self: context.self,
    leaderOf: leaderOf(instance, context.size),
    firstRoundMs: FIRST_ROUND_SLOTS * ports.beacon.spec.slotDurationMs,
    isValid: (proposed) => Buffer.from(proposed).equals(value),
    identity: qbftIdentity({
      instance,
      domainSeparator: domainSeparatorOf(context),
      key: ports.operatorKey,
      members: members.map(({ operator }) => operator),
      verifyEcdsa: ports.verifyEcdsa,
      limits: { size: context.size, maxValueBytes: transcriptBytes(context.size) },
      onRefused: (reason) =>
        ports.log.error('the gate refused a transcript message', { pool: context.poolId, round: context.round, reason: String(reason) }),
    }),
    clock: ports.clock,
    broadcast: (message) => room.sayQbft(message),
    send: (to: MemberIndex, message) => room.sayQbft(message, to),
    onDecided: () => resolve(),
    onFault: ({ member, fault }) => ports.log.warn('fault in the agreement on a transcript', { pool: context.poolId, member, fault }),
    // Every round's leader proposes the one transcript it has seen.
    onRound: () => session.propose(value),
  })
  session.start()
  room.onQbft((from, message) => session.receive(from, message))
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return {
    decided: promise,
    close: () => {
      signal.removeEventListener('abort', abort)
      session.close()
    },
  }
}
