import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RollCall, type RollCallPorts } from '../../../../operator/ceremonies/roll-call.ts'
import { handoverRoll } from '../../../../operator/ceremonies/rolls.ts'
import type { RollCallProgress } from '../../../../operator/ceremonies/types.ts'
import type { Epoch, ProducerId, Root } from '../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import type { Call, Contracts } from '../../../../operator/core/ports/chain.ts'
import { aggregateSignatures, verifyEach, verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../operator/protocol/bls/threshold.ts'
import { rotationFailureDigest } from '../../../../operator/protocol/messages/failure.ts'
import { decodeHandover } from '../../../../operator/protocol/messages/handover-codec.ts'
import { keysOf } from '../../simulation/ceremony/keys.ts'
import { ProcessClock, Scheduler } from '../../simulation/scheduler.ts'
import { aggregateKeys, verifyWords } from '../../simulation/signatures.ts'
import { handoverFrom } from '../protocol/rotation/support.ts'
import { producerOf } from './support/chain.ts'

const SLOT_MS = 1_000
const DEADLINE = 3 as Epoch
const { handover } = handoverFrom(21n, { oldSize: 4, size: 4 })
/** Producer 4 is in both vaults. */
const IDS = [1, 2, 3, 4, 4, 5, 6, 7].map((id) => id as ProducerId)
const MEMBERS = IDS.map((id) => producerOf(id, keysOf(id).operator, keysOf(id).signing.publicKey))

type NamingArgs = {
  readonly absentNew: bigint
  readonly absentOld: bigint
  readonly byOld: boolean
  readonly signers: bigint
  readonly aggregateSignature: readonly string[]
}

type Sent = { readonly by: number; readonly at: number; readonly args: NamingArgs }
type Circumstances = {
  readonly slotsPerEpoch?: number
  /** By producer, slots by which its roll begins after the others'. */
  readonly late?: ReadonlyMap<number, number>
  readonly onProgress?: (self: ProducerId, progress: RollCallProgress) => void
}

/** Those who are there call the roll of a handover, each with a network that delivers at once; what they send to the chain. */
async function call(there: readonly number[], circumstances: Circumstances = {}): Promise<readonly Sent[]> {
  const { slotsPerEpoch = 4, late = new Map<number, number>(), onProgress = () => {} } = circumstances
  const scheduler = new Scheduler(0)
  const sent: { by: number; at: number; args: NamingArgs }[] = []
  const calls = new Map<number, RollCall>()
  const stop = new AbortController()
  for (const self of there as readonly ProducerId[]) {
    const send = async ({ args }: Call) => {
      sent.push({ by: self, at: scheduler.now, args: args[1] as NamingArgs })
      return { status: 'included', hash: '0x' as Root, blockNumber: 1, gasUsed: 1n } as const
    }
    const log: RollCallPorts['log'] = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
    const ports: RollCallPorts = {
      self,
      clock: new ProcessClock(scheduler),
      beacon: { spec: { genesisTimeMs: 0, slotDurationMs: SLOT_MS, slotsPerEpoch } } as BeaconNode,
      contracts: { send } as Partial<Contracts> as Contracts,
      network: {
        self,
        send: (to, _, bytes) => {
          const message = decodeHandover(bytes, handover)
          if (message.kind === 'absence') calls.get(to)?.receive(self, message)
        },
        onMessage: () => () => {},
      },
      signingKey: keysOf(self).signing,
      scheme: {
        verify: (key, root, signature) => verifySignature(key as Parameters<typeof verifySignature>[0], root, signature),
        verifyEach,
        aggregate: aggregateSignatures,
        combine: combinePartials,
      },
      log,
    }
    const roll = handoverRoll(
      { context: { ...handover, kind: 'rotation', oldRound: 0 }, members: MEMBERS, deadline: DEADLINE },
      () => sent.length === 0,
    )
    const rollCall = new RollCall(ports, roll)
    rollCall.listen((progress) => onProgress(self, progress))
    calls.set(self, rollCall)
  }
  const begins = (DEADLINE + 1) * slotsPerEpoch
  for (const [self, one] of calls) {
    const slots = late.get(self)
    const run = (): void => void one.run(stop.signal).catch(() => undefined)
    if (slots === undefined) run()
    else scheduler.at((begins + slots) * SLOT_MS, run)
  }
  await scheduler.run((begins + 14) * SLOT_MS, () => false)
  stop.abort()
  return sent
}

describe('the roll call of a handover', () => {
  for (const [who, there, expected] of [
    ['the new vault', [1, 2, 4], { absentNew: 0b0100n, absentOld: 0b1110n, byOld: false, signers: 0b1011n }],
    ['the old vault', [4, 5, 6], { absentNew: 0b0111n, absentOld: 0b1000n, byOld: true, signers: 0b0111n }],
  ] as const) {
    it(`A32 a threshold of ${who} names who is absent from both, past the deadline, as the contract checks it`, async () => {
      const sent = await call(there)
      const [first] = sent
      assert.ok(first)
      assert.ok(first.at >= 4 * (DEADLINE + 1) * SLOT_MS, `at ${first.at}`)
      const { aggregateSignature, ...naming } = first.args
      assert.deepEqual(naming, expected)
      const key = aggregateKeys(there.map((id) => keysOf(id as ProducerId).signing.publicKey))
      assert.ok(verifyWords(key, rotationFailureDigest(handover, naming), aggregateSignature))
      assert.equal(sent.length, 1)
    })
  }

  it('A32 a member whose node is a few slots behind the others is not named', async () => {
    const late = new Map([[6, 3.5]])
    assert.deepEqual(await call([1, 2, 3, 4, 5, 6, 7], { late, slotsPerEpoch: 32 }), [])
    // Whoever is away is, all the same.
    const [first] = await call([1, 2, 3, 4, 5, 6], { late, slotsPerEpoch: 32 })
    assert.deepEqual([first?.args.absentNew, first?.args.absentOld], [0n, 0b1000n])
  })

  it('A32 nobody is named by fewer than a threshold of each vault, or when all are there', async () => {
    assert.deepEqual(await call([1, 4, 5]), [])
    assert.deepEqual(await call([1, 2, 3, 4, 5, 6, 7]), [])
  })

  it('tells who has answered, who has not, and who signed just that, as it changes', async () => {
    const told = new Map<ProducerId, RollCallProgress[]>()
    await call([1, 2, 4], { onProgress: (self, progress) => told.set(self, [...(told.get(self) ?? []), progress]) })
    const own = told.get(1 as ProducerId) ?? []
    // Producer 4 answers for both of its seats.
    assert.deepEqual(own[0], { answered: [1], absent: [2, 3, 4, 5, 6, 7, 8], namedBy: [] })
    assert.deepEqual(own.at(-1), { answered: [1, 2, 4, 5], absent: [3, 6, 7, 8], namedBy: [1, 2, 4, 5] })
    assert.equal(new Set(own.map((progress) => JSON.stringify(progress))).size, own.length)
  })
})
