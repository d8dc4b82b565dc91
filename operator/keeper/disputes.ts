import type { ProducerId } from '../core/ids.ts'
import type { BeaconNode } from '../core/ports/beacon.ts'
import type { Call, Contracts } from '../core/ports/chain.ts'
import type { Clock } from '../core/ports/clock.ts'
import { concatenated, type DealingDispute, type Disputes, disputeId } from '../core/ports/disputes.ts'
import type { Log } from '../core/ports/log.ts'
import type { JobQueue } from '../core/ports/queue.ts'
import { wordsOf } from '../protocol/bls/words.ts'
import { CEREMONY_KINDS } from '../protocol/dkg/context.ts'
import { rankOf, untilTurn } from './turns.ts'

export type DisputePorts = {
  readonly self: ProducerId
  readonly clock: Clock
  readonly contracts: Contracts
  readonly beacon: BeaconNode
  readonly queue: JobQueue
  readonly log: Log
}

const QUEUE = 'dispute'
const CONCURRENCY = 4
/** Slots that a member has to send a dispute, and to see it included, before it is the next one's turn. */
const TURN_SLOTS = 2
/** The result stands, somebody else was quicker, or a member accuses itself: nothing is left to do. */
const SETTLED = ['AlreadyJudged', 'TooLate', 'OwnDealing']
/** Attempts after which another refusal is believed too: by then whatever it was about is final. */
const MAX_ATTEMPTS = 100

const G1_BYTES = 128
const SHARE_BYTES = 32

/**
 * Takes members that dealt or complained falsely to `DkgDisputes`. Evidence is on disk before `raise` resolves; the members of
 * the ceremony take turns at sending it, so that one transaction usually does.
 */
export function startDisputes({ self, clock, contracts, beacon, queue, log }: DisputePorts): Disputes {
  const slotMs = beacon.spec.slotDurationMs
  queue.process(QUEUE, CONCURRENCY, async ({ data, attempt }, signal) => {
    // Written by `raise` below, into this node's own store.
    const dispute: DealingDispute = JSON.parse(String(data.dispute))
    const id = disputeId(dispute)
    const everyone = [...dispute.members, ...dispute.oldMembers]
    const rank = rankOf({ taskId: id, self, producers: everyone })
    const elapsedMs = clock.now() - Number(data.raisedAt)
    const pause = untilTurn({ rank, count: everyone.length, turnMs: TURN_SLOTS * slotMs, elapsedMs })
    if (pause > 0) return { done: false, retryInMs: pause, reason: "another member's turn" }
    const outcome = await contracts.send(disputeCall(dispute), signal)
    if (outcome.status === 'included') {
      log.info('dealing disputed', { dispute: id, gasUsed: outcome.gasUsed.toString(), hash: outcome.hash })
      return { done: true }
    }
    if (SETTLED.includes(outcome.error)) return { done: true }
    if (attempt >= MAX_ATTEMPTS) {
      log.warn('dispute given up', { dispute: id, error: outcome.error })
      return { done: true }
    }
    return { done: false, retryInMs: TURN_SLOTS * slotMs, reason: outcome.error }
  })
  return {
    raise: (dispute) => queue.add(QUEUE, disputeId(dispute), { dispute: JSON.stringify(dispute), raisedAt: clock.now() }),
  }
}

/** The transaction that has a dealing judged. */
export function disputeCall(dispute: DealingDispute): Call {
  const { poolId, kind, round, members, oldMembers, dealing, against } = dispute
  const ceremony = { poolId, kind: CEREMONY_KINDS[kind], round, members, oldMembers }
  const signed = {
    dealer: dealing.dealer,
    joinKeys: concatenated(dealing.joinKeys, G1_BYTES),
    commitments: concatenated(dealing.commitments, G1_BYTES),
    ciphertexts: concatenated(dealing.ciphertexts, SHARE_BYTES),
    signature: dispute.dealingSignature,
    joinSignature: dispute.dealerJoin,
  }
  if ('place' in against) return { contract: 'dkgDisputes', method: 'disputeCommitment', args: [ceremony, signed, against.place] }
  if ('publicShares' in against)
    return { contract: 'dkgDisputes', method: 'disputeConstantTerm', args: [ceremony, signed, against.publicShares] }
  const { member, sharedPoint, proof } = against.complaint
  const complaint = {
    member,
    sharedPoint: wordsOf(sharedPoint),
    challenge: BigInt(proof.challenge),
    response: BigInt(proof.response),
    signature: against.signature,
    joinSignature: against.memberJoin,
  }
  return { contract: 'dkgDisputes', method: 'disputeDealing', args: [ceremony, signed, complaint] }
}
