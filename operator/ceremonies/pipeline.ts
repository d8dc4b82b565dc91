import type { Gwei, MemberIndex, Root } from '../core/ids.ts'
import { toRoot } from '../core/parse.ts'
import type { Dealing } from '../core/ports/ceremony.ts'
import { receiversOf, type Transcript } from '../protocol/dkg/transcript.ts'
import {
  type CeremonyResult,
  type CeremonyStatement,
  ceremonyDigest,
  ceremonyOnceKey,
  dkgResultDigest,
} from '../protocol/messages/ceremony.ts'
import { Dealings } from './dealings.ts'
import { type Play, patiently, pause, slotsInMs } from './play.ts'
import { publish } from './publish.ts'
import { Reveals } from './reveals.ts'
import { Roster } from './roster.ts'
import { Transcripts } from './transcripts.ts'

const PRE_DEPOSIT = 1_000_000_000n as Gwei
/** Slots in which all that take part can deal. */
const DEAL_SLOTS = 4
/** Slots in which their dealings spread to all, all say what they think of them, and complaints come to all. */
const CHECK_SLOTS = 4
/** Slots in which all reveal that mean to. */
const REVEAL_SLOTS = 1
const CREDENTIALS_PREFIX = `0x01${'00'.repeat(11)}`

type Stages = { readonly roster: Roster; readonly dealings: Dealings; readonly transcripts: Transcripts }

/**
 * A DKG from its first message to its publication (protocol.md §7): join → deal → verify → agree → reveal → result →
 * participate → publish → confirm. Bad and silent members are left out on the way. Every step can be done again after a restart
 * and says the same; who comes late goes on where the others are. Rejects with the signal's reason when the round is over.
 */
export async function runCeremony(play: Play): Promise<never> {
  const roster = new Roster(play)
  const dealings = new Dealings(play, roster)
  const transcripts = new Transcripts(play, roster, dealings)
  try {
    return await Promise.race([dealings.run(), runStages(play, { roster, dealings, transcripts })])
  } finally {
    roster.close()
    transcripts.agreement.close()
  }
}

async function runStages(play: Play, stages: Stages): Promise<never> {
  const { ports, room, signal } = play
  const began = ports.clock.now()
  await join(play, stages)
  await deal(play, stages)
  await verify(play, stages)
  const transcript = await agree(play, stages)
  const { reveals, holdsShare } = await reveal(play, stages, transcript)
  // Late ones too: whose is wrong is named. Ends with the round.
  room.board.until(() => (reveals.judge().size === play.ceremony.members.length ? true : undefined), signal).catch(() => undefined)

  play.progress.enter('result')
  const result = reveals.result()
  // Without a share there is nothing to sign with: the others see to the rest.
  if (!holdsShare) return room.board.until<never>(() => undefined, signal)
  const outcome = await participate(play, result)
  ports.observer.onSigned(play.ceremony.context, ports.clock.now() - began)
  return publish(play, { outcome, participants: receiversOf(transcript) })
}

function say({ ports, ceremony, room, signal }: Play, statement: CeremonyStatement): void {
  signal.throwIfAborted()
  const { context } = ceremony
  const signature = ports.operatorKey.signOnce(ceremonyOnceKey(context, statement.kind), ceremonyDigest(context, statement))
  room.say({ ...statement, signature })
}

async function join(play: Play, { roster, transcripts }: Stages): Promise<void> {
  const { secrets } = play.ports
  const { context } = play.ceremony
  const joinKey = await secrets.begin(context)
  say(play, { kind: 'join', member: context.self, joinKey, proof: await secrets.possession(context) })
  await roster.settle(() => transcripts.decided() !== undefined)
}

async function deal(play: Play, { roster, dealings, transcripts }: Stages): Promise<void> {
  const { ports, ceremony, progress, room } = play
  const { context } = ceremony
  progress.enter('deal', slotsInMs(play, DEAL_SLOTS))
  const decided = transcripts.decided()
  // Also when it is decided on: after a restart self knows its own dealing from its disk alone.
  if (decided === undefined ? roster.includes(context.self) : decided.qualified.includes(context.self)) {
    say(play, { kind: 'dealing', dealing: await ports.secrets.deal(context, roster.joinKeys) })
  }
  const unsettled = (): readonly MemberIndex[] => (roster.members ?? []).filter((member) => !dealings.isSettled(member))
  const isDone = (): true | undefined => {
    const waitingFor = unsettled()
    progress.waitFor(waitingFor)
    return waitingFor.length === 0 || transcripts.decided() !== undefined ? true : undefined
  }
  await patiently(play, isDone, DEAL_SLOTS)
  // Fewer make no key: there is nothing to say about them.
  const accepted = (): number => (roster.members ?? []).filter((member) => dealings.accepted(member) !== undefined).length
  await room.board.until(() => (accepted() >= context.threshold ? true : isDone()), play.signal)
}

async function verify(play: Play, { roster, dealings, transcripts }: Stages): Promise<void> {
  const { ports, ceremony, progress, room } = play
  const { context } = ceremony
  progress.enter('verify', slotsInMs(play, CHECK_SLOTS))
  if (transcripts.decided() === undefined && roster.includes(context.self)) {
    const good = room.board.authors().map((dealer): Root | null => {
      const dealing = dealings.accepted(dealer)
      return dealing === undefined ? null : room.hashOf(dealing)
    })
    say(play, { kind: 'checked', member: context.self, dealings: await ports.secrets.check(context, good) })
  }
  const isDone = (): true | undefined => {
    const waitingFor = transcripts.unchecked()
    progress.waitFor(waitingFor)
    return waitingFor.length === 0 || transcripts.decided() !== undefined ? true : undefined
  }
  const isComplete = await patiently(play, isDone, CHECK_SLOTS)
  if (isComplete === undefined) transcripts.expire()
  // Complete for self may not be so for others.
  else
    pause(play, CHECK_SLOTS).then(
      () => transcripts.expire(),
      () => undefined,
    )
}

async function agree(play: Play, { transcripts }: Stages): Promise<Transcript> {
  const { ceremony, progress, room, ports } = play
  const { agreement } = transcripts
  progress.enter('agree')
  agreement.start()
  const transcript = await room.board.until(() => {
    progress.waitFor(transcripts.unchecked())
    agreement.reconsider()
    return transcripts.decided()
  }, play.signal)
  if (agreement.decision !== undefined) room.keepDecision('transcript', agreement.decision)
  progress.agreed({ qualified: transcript.qualified })
  const { size, poolId, round } = ceremony.context
  if (transcript.qualified.length < size) {
    ports.log.info('ceremony goes on without some', {
      pool: poolId,
      round,
      qualified: transcript.qualified,
      receivers: receiversOf(transcript),
    })
  }
  return transcript
}

async function reveal(play: Play, { dealings }: Stages, transcript: Transcript) {
  const { ports, ceremony, progress, room, signal } = play
  const { context } = ceremony
  const { qualified, dealingHashes } = transcript
  progress.enter('reveal')
  const chosen = await room.board.until(() => {
    const lacking = qualified.filter((dealer) => dealings.verdictOn(dealingHashes[dealer - 1] ?? NONE) === undefined)
    progress.waitFor(lacking)
    return lacking.length > 0 ? undefined : dealingHashes.map((hash, at) => dealingAt(play, at, hash))
  }, signal)
  const reveals = new Reveals(play, transcript, chosen)
  const receivers = receiversOf(transcript)
  const isGood = qualified.every((dealer) => dealings.verdictOn(dealingHashes[dealer - 1] ?? NONE) === 'good')
  const holdsShare = isGood && receivers.includes(context.self)
  if (holdsShare) {
    // Of a dealer that signed two dealings the other one may have been opened last.
    for (const dealing of chosen) {
      if (dealing !== null && room.board.said('dealing', dealing.dealer).length > 1) await ports.secrets.open(context, dealing)
    }
    say(play, { kind: 'reveal', reveal: await ports.secrets.reveal(context, qualified) })
  } else {
    ports.log.warn('no share of the key for this member', { pool: context.poolId, round: context.round })
  }
  const isRevealedBy = (count: number) => (): true | undefined => {
    const points = reveals.judge()
    progress.waitFor(receivers.filter((member) => !points.has(member)))
    return points.size >= count ? true : undefined
  }
  // Any t make the key: nobody can end the round, or change the key, by what it does now that it could know it. The rest are
  // given a moment: to work out what they lack is dearer than to hear it.
  await patiently(play, isRevealedBy(receivers.length), REVEAL_SLOTS)
  await room.board.until(isRevealedBy(context.threshold), signal)
  return { reveals, holdsShare }
}

const NONE: Root = toRoot(`0x${'00'.repeat(32)}`)

function dealingAt({ room }: Play, at: number, hash: Root | null): Dealing | null {
  return hash === null ? null : (room.dealingOf((at + 1) as MemberIndex, hash)?.dealing ?? null)
}

async function participate(play: Play, result: CeremonyResult) {
  const { ports, ceremony, room, signal, progress } = play
  const { context } = ceremony
  const { secrets } = ports
  progress.enter('participate')
  const withdrawalCredentials: Root = toRoot(`${CREDENTIALS_PREFIX}${ceremony.withdrawalVault.slice(2)}`)
  const depositRoot = ports.beacon.signingRoots.deposit({ publicKey: result.groupKey, withdrawalCredentials, amount: PRE_DEPOSIT })
  const resultDigest = dkgResultDigest(context, result)
  const partial = await secrets.sign(context, depositRoot)
  // The share is on disk before anyone may count on this member to sign with it.
  await secrets.commit(context, result)
  signal.throwIfAborted()
  room.say({ kind: 'participation', member: context.self, partial, participation: ports.signingKey.sign(resultDigest) })
  return { result, depositRoot, resultDigest }
}
