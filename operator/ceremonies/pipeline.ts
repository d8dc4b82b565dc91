import { OpenPoolsError } from '../core/errors.ts'
import type { Gwei, MemberIndex, Root } from '../core/ids.ts'
import { toRoot } from '../core/parse.ts'
import type { Dealing } from '../core/ports/ceremony.ts'
import { checkDealing } from '../protocol/dkg/dealing.ts'
import { resultOf, transcriptOf } from '../protocol/dkg/result.ts'
import { type CeremonyStatement, ceremonyDigest, ceremonyOnceKey, dkgResultDigest } from '../protocol/messages/ceremony.ts'
import { agree } from './agree.ts'
import { publish } from './publish.ts'
import type { CeremonyRoom } from './room.ts'
import type { Ceremony, CeremonyPorts, CeremonyStage } from './types.ts'

/** A rule broken by a member: the round ends, and the next one follows after its deadline. */
export class CeremonyFault extends OpenPoolsError<'BAD_DEALING'> {}

const PRE_DEPOSIT = 1_000_000_000n as Gwei
const CREDENTIALS_PREFIX = `0x01${'00'.repeat(11)}`

/**
 * A DKG from its first message to its publication (protocol.md §7): join → deal → verify → agree → reveal → result →
 * participate → publish. Every step can be done again after a restart and says the same. Rejects with the signal's reason
 * when the round is over, with `CeremonyFault` or `DkgError` (member and rule) when somebody broke it.
 */
export async function runCeremony(ports: CeremonyPorts, ceremony: Ceremony, room: CeremonyRoom, signal: AbortSignal): Promise<void> {
  const { context, members } = ceremony
  const { secrets, observer, clock } = ports
  const began = clock.now()
  const everyone = members.map((_, at) => (at + 1) as MemberIndex)
  const enter = (stage: CeremonyStage, missing: readonly MemberIndex[] = []): void => observer.onStage(context, stage, missing)
  const say = (statement: CeremonyStatement): void => {
    const signature = ports.operatorKey.signOnce(ceremonyOnceKey(context, statement.kind), ceremonyDigest(context, statement))
    room.say({ ...statement, signature })
  }

  enter('join', room.missing('join'))
  say({ kind: 'join', member: context.self, joinKey: await secrets.begin(context) })
  const joins = await room.all('join', signal)
  const joinKeys = everyone.map((member) => joins.get(member)?.joinKey ?? null)

  enter('deal', room.missing('dealing'))
  say({ kind: 'dealing', dealing: await secrets.deal(context, joinKeys) })
  const dealings = await room.all('dealing', signal)

  enter('verify')
  const inOrder: readonly (Dealing | null)[] = everyone.map((member) => dealings.get(member)?.dealing ?? null)
  for (const dealing of inOrder) await verify(ports, ceremony, { dealing, joinKeys })
  const qualified = everyone

  enter('agree')
  const transcript = transcriptOf({ context, joinKeys, dealings: inOrder, qualified })
  const agreement = agree(ports, { ceremony, room, transcript }, signal)
  try {
    await agreement.decided

    enter('reveal', room.missing('reveal'))
    say({ kind: 'reveal', reveal: await secrets.reveal(context, qualified) })
    const reveals = await room.all('reveal', signal)

    enter('result')
    const revealed = everyone.flatMap((member) => reveals.get(member)?.reveal ?? [])
    const result = resultOf({ context, joinKeys, dealings: inOrder, qualified, reveals: revealed })

    enter('participate', room.missing('participation'))
    const withdrawalCredentials: Root = toRoot(`${CREDENTIALS_PREFIX}${ceremony.withdrawalVault.slice(2)}`)
    const depositRoot = ports.beacon.signingRoots.deposit({ publicKey: result.groupKey, withdrawalCredentials, amount: PRE_DEPOSIT })
    const resultDigest = dkgResultDigest(context, result)
    const partial = await secrets.sign(context, depositRoot)
    // The share is on disk before anyone may count on this member to sign with it.
    await secrets.commit(context, result)
    room.say({ kind: 'participation', member: context.self, partial, participation: ports.signingKey.sign(resultDigest) })
    observer.onSigned(context, clock.now() - began)

    enter('publish')
    await publish(ports, { ceremony, room, outcome: { result, depositRoot, resultDigest } }, signal)
    enter('confirm')
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  } finally {
    agreement.close()
  }
}

/** Stage verify: what everyone can see of a dealing, and the share that it holds for self. */
async function verify(
  { secrets }: CeremonyPorts,
  { context }: Ceremony,
  { dealing, joinKeys }: { readonly dealing: Dealing | null; readonly joinKeys: Dealing['joinKeys'] },
): Promise<void> {
  if (dealing === null) return
  checkDealing(dealing, context, joinKeys)
  const opened = await secrets.open(context, dealing)
  if (!opened.good) {
    const reason = `member ${opened.dealer} dealt a bad share: ${opened.reason ?? 'it does not match its commitments'}`
    throw new CeremonyFault('BAD_DEALING', reason, { member: opened.dealer })
  }
}
