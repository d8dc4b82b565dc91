import { reasonOf } from '../core/errors.ts'
import type { BlsSignature, MemberIndex, Root } from '../core/ids.ts'
import type { Call, TransactionOutcome } from '../core/ports/chain.ts'
import { publicKeyToEip2537, signatureToEip2537 } from '../protocol/bls/points.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import type { CeremonyResult } from '../protocol/messages/ceremony.ts'
import type { ParticipationMessage } from '../protocol/messages/ceremony-codec.ts'
import type { CeremonyRule } from './faults.ts'
import { type Play, patiently, pause } from './play.ts'
import type { CeremonyPorts } from './types.ts'

/** Slots a member waits for the one before it to publish. */
const TURN_SLOTS = 2
/** Slots a quorum waits for the rest, so that nobody is left out for being slow. */
const REST_SLOTS = 1
/** Rules for which the chain takes a dealer's seat. */
const CONVICTED: readonly CeremonyRule[] = ['BAD_SHARE', 'BAD_DEALING']
/** Slots after which a result that the chain does not show is sent again. */
const RETRY_SLOTS = 4

export type Outcome = { readonly result: CeremonyResult; readonly depositRoot: Root; readonly resultDigest: Root }
export type Publishing = {
  readonly outcome: Outcome
  /** Members that have a share. */
  readonly participants: readonly MemberIndex[]
}
type Participant = { readonly member: MemberIndex; readonly partial: BlsSignature; readonly participation: BlsSignature }

/**
 * Stages publish and confirm: with enough members' signatures, sends the result when it is this member's turn and nobody
 * has, again as long as the chain does not show it. If it was left out of what the chain shows, it adds its own signature.
 * Never resolves: it rejects with the signal's reason.
 */
export function publish(play: Play, publishing: Publishing): Promise<never> {
  return Promise.race([publishResult(play, publishing), addOwnSignature(play, publishing)])
}

async function publishResult(play: Play, publishing: Publishing): Promise<never> {
  const { ports, ceremony, room, progress, signal } = play
  const { board } = room
  const { self, size, threshold, poolId, round } = ceremony.context
  const slots = (count: number): Promise<void> => pause(play, count)

  progress.enter('publish')
  await board.until(() => {
    progress.waitFor(board.missing('participation', publishing.participants))
    return board.got('participation').size >= threshold ? true : undefined
  }, signal)
  const isComplete = (): true | undefined => {
    const missing = board.missing('participation', publishing.participants)
    progress.waitFor(missing)
    return missing.length === 0 ? true : undefined
  }
  await patiently(play, isComplete, REST_SLOTS)
  // The first member of the shuffle leads; leadership passes on per round.
  const turns = (self - 1 - (round % size) + size) % size
  await slots(turns * TURN_SLOTS)

  const judged = new Map<MemberIndex, boolean>()
  for (;;) {
    const participants = await goodOnes(play, publishing, judged)
    const sent = await send(ports, completion(play, publishing, participants), signal)
    const facts = { pool: poolId, round, participants: participants.length, ...sent }
    if (sent.status === 'included') {
      ports.log.info('ceremony published', facts)
      progress.enter('confirm')
    } else {
      ports.log.warn('ceremony not published yet', facts)
    }
    await slots(RETRY_SLOTS)
  }
}

/** Who was late for the result is named and replaced, unless it still signs it in time. */
async function addOwnSignature(play: Play, { outcome }: Publishing): Promise<never> {
  const { ports, ceremony, room, signal } = play
  const { poolId, round, self } = ceremony.context
  for (;;) {
    await room.board.until(() => (play.isRegistered() ? true : undefined), signal)
    try {
      if (await isLeftOut(play)) {
        const signature = wordsOf(signatureToEip2537(ports.signingKey.sign(outcome.resultDigest)))
        const call: Call = { contract: 'ceremonies', method: 'addParticipation', args: [poolId, 1n << BigInt(self - 1), signature] }
        ports.log.info('signature added to a ceremony result', { pool: poolId, round, ...(await send(ports, call, signal)) })
      } else {
        // Nothing to do, unless a reorganization takes the result back.
        await room.board.until(() => (play.isRegistered() ? undefined : true), signal)
      }
    } catch (error) {
      signal.throwIfAborted()
      ports.log.warn('cannot tell who signed a ceremony result', { pool: poolId, round, reason: reasonOf(error) })
    }
    await pause(play, RETRY_SLOTS)
  }
}

/** Whether the chain waits for this member's signature on the result. */
async function isLeftOut({ ports, ceremony }: Play): Promise<boolean> {
  const { poolId, round, self } = ceremony.context
  const open = (await ports.contracts.read({ contract: 'ceremonies', method: 'openOf', args: [poolId] })) as OpenResult
  const isOpen = Number(open.deadline) > 0 && Number(open.round) === round
  return isOpen && ((BigInt(open.participation) >> BigInt(self - 1)) & 1n) === 0n
}

/** As the contract keeps it: `deadline` 0 when nobody is missing from the pool's result. */
type OpenResult = { readonly deadline: bigint; readonly round: bigint; readonly participation: bigint }

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

/** Resolves with enough members whose two signatures on the outcome hold, while there is a result to send. Each message is judged once. */
async function goodOnes(play: Play, publishing: Publishing, judged: Map<MemberIndex, boolean>): Promise<readonly Participant[]> {
  const { room, ceremony, signal } = play
  for (;;) {
    const said = await room.board.until(() => {
      if (play.isRegistered()) return undefined
      const all = [...room.board.got('participation').values()]
      const isNews = all.some(({ member }) => !judged.has(member))
      return isNews || countOf(judged) >= ceremony.context.threshold ? all : undefined
    }, signal)
    const news = said.filter(({ member }) => !judged.has(member))
    if (news.length === 0)
      return chosenOf(
        play,
        said.filter(({ member }) => judged.get(member)),
      )
    await judge(play, publishing, news, judged)
  }
}

const countOf = (judged: ReadonlyMap<MemberIndex, boolean>): number => [...judged.values()].filter((isGood) => isGood).length

/** All at once; only where one is bad, each by itself, with a turn for others after each. */
async function judge(
  play: Play,
  publishing: Publishing,
  messages: readonly ParticipationMessage[],
  judged: Map<MemberIndex, boolean>,
): Promise<void> {
  if (areGood(play, publishing, messages)) {
    for (const { member } of messages) judged.set(member, true)
    return
  }
  const { ports, ceremony } = play
  for (const message of messages) {
    const { member } = message
    const isGood = areGood(play, publishing, [message])
    if (!isGood) ports.log.warn('participation that does not verify', { pool: ceremony.context.poolId, member })
    judged.set(member, isGood)
    await pause(play, 0)
  }
}

/** Each partial deposit signature under its member's public share, each signature on the result under its producer's key. */
function areGood({ ports, ceremony }: Play, { outcome }: Publishing, messages: readonly ParticipationMessage[]): boolean {
  const { publicShares } = outcome.result
  const deposits = messages.flatMap(({ member, partial }) => {
    const publicKey = publicShares[member - 1]
    return publicKey === undefined ? [] : [{ publicKey, signature: partial }]
  })
  const results = messages.flatMap(({ member, participation }) => {
    const producer = ceremony.members[member - 1]
    return producer === undefined ? [] : [{ publicKey: producer.signingKey, signature: participation }]
  })
  return (
    deposits.length === messages.length &&
    results.length === messages.length &&
    ports.scheme.verifyEach(deposits, outcome.depositRoot) &&
    ports.scheme.verifyEach(results, outcome.resultDigest)
  )
}

/** Who is named in the result, of those whose signatures hold. */
function chosenOf({ ceremony, room }: Play, good: readonly Participant[]): readonly Participant[] {
  // The chain takes no result with the signature of a dealer that it has convicted; who cheated can sign later, if at all.
  const convicted = room.faults.all().filter(({ rule }) => CONVICTED.includes(rule))
  const honest = good.filter(({ member }) => !convicted.some((fault) => fault.member === member))
  return honest.length >= ceremony.context.threshold ? honest : good
}

/** The transaction that registers the pool's key. */
function completion({ ports, ceremony }: Play, { outcome }: Publishing, participants: readonly Participant[]): Call {
  const { scheme } = ports
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
