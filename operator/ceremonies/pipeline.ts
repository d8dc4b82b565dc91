import type { Gwei, MemberIndex, Root } from '../core/ids.ts'
import { toRoot } from '../core/parse.ts'
import type { Dealing } from '../core/ports/ceremony.ts'
import { sleep } from '../core/time.ts'
import { resultOf, transcriptOf } from '../protocol/dkg/result.ts'
import { type CeremonyStatement, ceremonyDigest, ceremonyOnceKey, dkgResultDigest } from '../protocol/messages/ceremony.ts'
import { agree } from './agree.ts'
import { publish } from './publish.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts, CeremonyStage } from './types.ts'
import { verify } from './verify.ts'

const PRE_DEPOSIT = 1_000_000_000n as Gwei
/** Slots in which all can reveal. */
const REVEAL_SLOTS = 4
const CREDENTIALS_PREFIX = `0x01${'00'.repeat(11)}`

/**
 * A DKG from its first message to its publication (protocol.md §7): join → deal → verify → agree → reveal → result →
 * participate → publish → confirm. Every step can be done again after a restart and says the same. Rejects with the signal's
 * reason when the round is over, with `CeremonyFault` or `DkgError` (member and rule) when somebody broke it.
 */
export async function runCeremony(ports: CeremonyPorts, ceremony: Ceremony, room: CeremonyRoom, signal: AbortSignal): Promise<never> {
  const { context, members } = ceremony
  const { secrets, observer, clock } = ports
  const began = clock.now()
  const everyone = members.map((_, at) => (at + 1) as MemberIndex)
  const enter = (stage: CeremonyStage, waitingFor: readonly MemberIndex[] = []): void => observer.onStage(context, stage, waitingFor)
  const say = (statement: CeremonyStatement): void => {
    signal.throwIfAborted()
    const signature = ports.operatorKey.signOnce(ceremonyOnceKey(context, statement.kind), ceremonyDigest(context, statement))
    room.say({ ...statement, signature })
  }

  const joinKey = await secrets.begin(context)
  say({ kind: 'join', member: context.self, joinKey, proof: await secrets.possession(context) })
  const joins = await room.all('join', (missing) => enter('join', missing), signal)
  const joinKeys = everyone.map((member) => joins.get(member)?.joinKey ?? null)

  say({ kind: 'dealing', dealing: await secrets.deal(context, joinKeys) })
  const heard = await room.all('dealing', (missing) => enter('deal', missing), signal)

  enter('verify')
  const dealings: readonly Dealing[] = everyone.flatMap((member) => heard.get(member)?.dealing ?? [])
  for (const dealing of dealings) await verify(ports, dealing, { ceremony, room, joinKeys }, signal)
  const qualified = everyone

  enter('agree')
  const transcript = transcriptOf({ context, joinKeys, dealings, qualified })
  const agreement = agree(ports, { ceremony, room, transcript }, signal)
  try {
    await agreement.decided

    say({ kind: 'reveal', reveal: await secrets.reveal(context, qualified) })
    // Who withholds its reveal once it has seen the others' must not end the round: t of them make the same key.
    await Promise.race([
      room.all('reveal', (missing) => enter('reveal', missing), signal),
      sleep(clock, REVEAL_SLOTS * ports.beacon.spec.slotDurationMs, signal),
    ])
    const revealed = await room.until(() => {
      const got = room.got('reveal')
      return got.size >= context.threshold ? got : undefined
    }, signal)

    enter('result')
    const reveals = everyone.flatMap((member) => revealed.get(member)?.reveal ?? [])
    const result = resultOf({ context, joinKeys, dealings, qualified, reveals })

    enter('participate')
    const withdrawalCredentials: Root = toRoot(`${CREDENTIALS_PREFIX}${ceremony.withdrawalVault.slice(2)}`)
    const depositRoot = ports.beacon.signingRoots.deposit({ publicKey: result.groupKey, withdrawalCredentials, amount: PRE_DEPOSIT })
    const resultDigest = dkgResultDigest(context, result)
    const partial = await secrets.sign(context, depositRoot)
    // The share is on disk before anyone may count on this member to sign with it.
    await secrets.commit(context, result)
    signal.throwIfAborted()
    room.say({ kind: 'participation', member: context.self, partial, participation: ports.signingKey.sign(resultDigest) })
    observer.onSigned(context, clock.now() - began)

    return await publish(ports, { ceremony, room, outcome: { result, depositRoot, resultDigest }, enter }, signal)
  } finally {
    agreement.close()
  }
}
