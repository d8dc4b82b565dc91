import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EcdsaSignature, Hex, MemberIndex, Milliseconds, PoolId, ProducerId, Root } from '../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import type { Call, Contracts, TransactionOutcome } from '../../../../operator/core/ports/chain.ts'
import type { DealingDispute } from '../../../../operator/core/ports/disputes.ts'
import type { Log } from '../../../../operator/core/ports/log.ts'
import { disputeCall, startDisputes } from '../../../../operator/keeper/disputes.ts'
import { ProcessClock, Scheduler } from '../../simulation/scheduler.ts'
import { type JobDisk, jobQueue } from '../ceremonies/support/queue.ts'

const SLOT_MS = 1_000
const MEMBERS = [7, 3, 9, 5].map((id) => id as ProducerId)
const signature = `0x${'11'.repeat(65)}` as EcdsaSignature
const point = (digit: string): Hex => `0x${digit.repeat(256)}`

const dispute: DealingDispute = {
  poolId: 4 as PoolId,
  kind: 'dkg',
  round: 2,
  members: MEMBERS,
  oldMembers: [],
  dealing: {
    dealer: 2 as MemberIndex,
    joinKeys: [point('1'), null, point('3'), point('4')],
    commitments: [point('5'), point('6'), point('7')],
    ciphertexts: [`0x${'aa'.repeat(32)}`, null, `0x${'cc'.repeat(32)}`, `0x${'dd'.repeat(32)}`],
  },
  dealingSignature: signature,
  dealerJoin: signature,
  against: {
    complaint: {
      dealer: 2 as MemberIndex,
      member: 1 as MemberIndex,
      sharedPoint: point('8'),
      proof: { challenge: `0x${'01'.repeat(32)}`, response: `0x${'02'.repeat(32)}` },
    },
    signature,
    memberJoin: signature,
  },
}

const log: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
const included: TransactionOutcome = { status: 'included', hash: `0x${'1'.repeat(64)}` as Root, blockNumber: 1, gasUsed: 1n }
const refused = (error: string): TransactionOutcome => ({ status: 'refused', error, args: {} })

type Send = (by: ProducerId, call: Call) => TransactionOutcome

/** The members' keepers over one clock; what the chain answers is up to `send`. */
function keepers(send: Send) {
  const scheduler = new Scheduler(0)
  const disks = new Map<ProducerId, JobDisk>()
  const start = (self: ProducerId, signal = new AbortController().signal) => {
    const disk: JobDisk = disks.get(self) ?? new Map()
    disks.set(self, disk)
    return startDisputes({
      self,
      clock: new ProcessClock(scheduler),
      beacon: { spec: { slotDurationMs: SLOT_MS } } as BeaconNode,
      contracts: { send: async (call: Call) => send(self, call) } as unknown as Contracts,
      queue: jobQueue({ scheduler, disk, signal }),
      log,
    })
  }
  const pass = (slots: number): Promise<void> => scheduler.run((scheduler.now + slots * SLOT_MS) as Milliseconds, () => false)
  const areDone = (): boolean => [...disks.values()].every((disk) => disk.size === 1 && [...disk.values()].every(({ done }) => done))
  return { start, pass, areDone, disks }
}

describe('disputes', () => {
  it('are sent once, by the member whose turn it is; the others see that it is judged', async () => {
    const sent: ProducerId[] = []
    const { start, pass, areDone } = keepers((by) => {
      sent.push(by)
      return sent.length === 1 ? included : refused('AlreadyJudged')
    })
    for (const id of MEMBERS) {
      const disputes = start(id)
      await disputes.raise(dispute)
      await disputes.raise(dispute)
    }
    await pass(1)
    assert.equal(sent.length, 1)
    await pass(20)
    assert.equal(new Set(sent).size, MEMBERS.length)
    assert.ok(areDone())
  })

  it('go to the next member when one does not manage', async () => {
    const sent: ProducerId[] = []
    const { start, pass, areDone } = keepers((by) => {
      sent.push(by)
      return sent.length < 3 ? refused('UnexpectedState') : sent.length === 3 ? included : refused('AlreadyJudged')
    })
    for (const id of MEMBERS) await start(id).raise(dispute)
    await pass(40)
    assert.ok(areDone())
    assert.ok(new Set(sent.slice(0, 3)).size >= 2)
  })

  it('end where a member accuses itself: the contract judges no such complaint', async () => {
    const sent: ProducerId[] = []
    const { start, pass, areDone } = keepers((by) => {
      sent.push(by)
      return refused('OwnDealing')
    })
    for (const id of MEMBERS) await start(id).raise(dispute)
    await pass(20)
    assert.ok(areDone())
    assert.equal(sent.length, MEMBERS.length)
  })

  it('survive a restart', async () => {
    const sent: Call[] = []
    const { start, pass, areDone } = keepers((_, call) => {
      sent.push(call)
      return included
    })
    const [first = 7 as ProducerId] = MEMBERS
    const dies = new AbortController()
    const disputes = start(first, dies.signal)
    await disputes.raise(dispute)
    dies.abort()
    await pass(10)
    assert.equal(sent.length, 0)
    start(first)
    await pass(10)
    assert.equal(sent.length, 1)
    assert.ok(areDone())
    assert.deepEqual(sent[0], disputeCall(dispute))
  })

  it('name the ceremony, the signed dealing and what is against it, as the contract takes them', () => {
    const { contract, method, args } = disputeCall(dispute)
    assert.deepEqual([contract, method], ['dkgDisputes', 'disputeDealing'])
    const [ceremony, dealing, complaint] = args as readonly Record<string, unknown>[]
    assert.deepEqual(ceremony, { poolId: 4, kind: 0, round: 2, members: MEMBERS, oldMembers: [] })
    assert.equal(dealing?.joinKeys, `0x${'1'.repeat(256)}${'0'.repeat(256)}${'3'.repeat(256)}${'4'.repeat(256)}`)
    assert.equal(String(dealing?.ciphertexts).length, 2 + 4 * 64)
    assert.deepEqual(
      complaint?.sharedPoint,
      Array.from({ length: 4 }, () => `0x${'8'.repeat(64)}`),
    )
    assert.deepEqual(disputeCall({ ...dispute, against: { place: 1 } }).args[2], 1)
  })
})
