import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProducerId } from '../../../../operator/core/ids.ts'
import type { Network } from '../../../../operator/core/ports/network.ts'
import type { AgreeQuestion } from '../../../../operator/duties/consensus.ts'
import { Consensus } from '../../../../operator/duties/consensus.ts'
import { DutyError } from '../../../../operator/duties/reasons.ts'
import { ByteReader } from '../../../../operator/protocol/messages/bytes.ts'
import { openDutyFrame } from '../../../../operator/protocol/messages/duty.ts'
import { gatedKey, newDisk, ungatedKey } from '../../simulation/signer.ts'
import { attestationDuty, crypto, member, proposalDuty, recordingLog, root, settle, TestClock, testPool } from './support.ts'

const value = (text: string): Uint8Array => new TextEncoder().encode(text)

type Frame = { readonly from: number; readonly to: number; readonly bytes: Uint8Array }

/** A vault of four, each member with its consensus; frames are delivered by hand. */
function setUp() {
  const clock = new TestClock()
  const frames: Frame[] = []
  const { log, lines } = recordingLog()
  const disks = [1, 2, 3, 4].map(() => newDisk())
  const consensusOf = (self: number): Consensus => {
    const network: Network = {
      self: (10 + self) as ProducerId,
      send: (to, _, bytes) => frames.push({ from: self, to: to - 10, bytes }),
      onMessage: () => () => {},
    }
    const operator = crypto.operator(`producer ${10 + self}`)
    const disk = disks[self - 1]
    const operatorKey = disk === undefined ? ungatedKey(operator) : gatedKey({ disk, operator, afterWrite: () => {} })
    const settings = { domainSeparator: root('domain'), firstRoundMs: 1_000 }
    return new Consensus({ clock, network, operatorKey, verifyEcdsa: crypto.verifyEcdsa, log, settings })
  }
  const members = [1, 2, 3, 4].map(consensusOf)
  const at = (self: number): Consensus => {
    const one = members[self - 1]
    if (one === undefined) throw new Error(`no member ${self}`)
    return one
  }
  const duty = (self: number) => attestationDuty(testPool(self).pool)
  const agree = (self: number, change: Partial<AgreeQuestion> = {}, { signal } = new AbortController()) => {
    const input = async (): Promise<Uint8Array> => value(`value of ${self}`)
    return at(self).agree({ duty: duty(self), isValid: () => true, input, always: true, onChange: () => () => {}, ...change }, signal)
  }
  const deliver = async (passes: (frame: Frame) => boolean = () => true): Promise<void> => {
    await settle()
    for (let frame = frames.shift(); frame !== undefined; frame = frames.shift()) {
      if (passes(frame)) at(frame.to).receive(duty(frame.to), member(frame.from), openDutyFrame(frame.bytes).body)
      await settle()
    }
  }
  const restart = (self: number): void => {
    members[self - 1] = consensusOf(self)
  }
  return { clock, frames, lines, agree, deliver, at, duty, restart }
}

const aborted = (): AbortController => {
  const controller = new AbortController()
  controller.abort()
  return controller
}

const code = (expected: string) => (failure: unknown) => failure instanceof DutyError && failure.code === expected

describe('consensus of duties', () => {
  it('gives every member the same value, in round 1', async () => {
    const { agree, deliver } = setUp()
    const decisions = [1, 2, 3, 4].map((self) => agree(self))
    await deliver()
    const values = (await Promise.all(decisions)).map((decision) => [new TextDecoder().decode(decision.value), decision.round])
    assert.equal(new Set(values.map(String)).size, 1)
    assert.equal(values[0]?.[1], 1)
  })

  it('keeps what comes before the own duty has begun', async () => {
    const { agree, deliver } = setUp()
    const early = [1, 2, 3].map((self) => agree(self))
    await deliver()
    const [first] = await Promise.all(early)
    assert.deepEqual((await agree(4)).value, first?.value)
  })

  describe('early messages', () => {
    let replayed = 0
    class Counted extends ByteReader {
      override u8(): number {
        replayed += 1
        return super.u8()
      }
    }
    const stopped = (failure: unknown) => failure instanceof DutyError

    it('are kept as far as a member may need', async () => {
      const { at, duty, agree } = setUp()
      replayed = 0
      for (let i = 0; i < 100; i++) at(1).receive(duty(1), member(2), new Counted(new Uint8Array(10_000)))
      await assert.rejects(agree(1, {}, aborted()), stopped)
      assert.equal(replayed, 6)
    })

    it('of one producer take no more than two proposals in all, until they are forgotten', async () => {
      const { at, duty, agree } = setUp()
      replayed = 0
      const { pool } = duty(1)
      const proposal = (slot: number) => proposalDuty(pool, slot)
      const large = new Uint8Array(4 * 1024 * 1024)
      for (let slot = 98; slot <= 110; slot++) at(1).receive(proposal(slot), member(2), new Counted(large))
      // Two of them have taken all its room; another producer has its own.
      at(1).receive(duty(1), member(2), new Counted(new Uint8Array(60_000)))
      at(1).receive(duty(1), member(2), new Counted(new Uint8Array(60_000)))
      at(1).receive(duty(1), member(2), new Counted(new Uint8Array(60_000)))
      at(1).receive(duty(1), member(3), new Counted(new Uint8Array(60_000)))
      await assert.rejects(agree(1, {}, aborted()), stopped)
      assert.equal(replayed, 2)
      at(1).prune((type) => (type === 'proposal' ? 200 : 0))
      at(1).receive(proposal(200), member(2), new Counted(large))
      at(1).receive(proposal(201), member(2), new Counted(large))
      replayed = 0
      const ended = at(1).agree(
        { duty: proposal(201), isValid: () => true, input: async () => value('x'), always: false, onChange: () => () => {} },
        aborted().signal,
      )
      await assert.rejects(ended, stopped)
      assert.equal(replayed, 1)
    })
  })

  it('resumes where a restarted member was', async () => {
    const { agree, deliver, clock, restart, frames } = setUp()
    const others = [1, 2, 3].map((self) => agree(self))
    const lost = agree(4, {}, new AbortController())
    lost.catch(() => undefined)
    // Everybody prepares, nobody hears a commit.
    await deliver(({ bytes }) => bytes[14] !== 3)
    restart(4)
    const again = agree(4)
    await settle()
    frames.length = 0
    await clock.advanceTo(1_000)
    await deliver()
    const values = (await Promise.all([...others, again])).map((decision) => new TextDecoder().decode(decision.value))
    assert.equal(new Set(values).size, 1)
  })

  it('names the reason when there is no decision', async () => {
    const silent = setUp()
    const alone = new AbortController()
    const unheard = silent.agree(1, {}, alone)
    await settle()
    alone.abort()
    await assert.rejects(unheard, code('MEMBERS_SILENT'))

    // Member 3 leads round 1 and member 4 round 2; each stands by its own value only.
    const refusing = setUp()
    const stop = new AbortController()
    const own = (self: number) => (proposed: Uint8Array) => new TextDecoder().decode(proposed) === `value of ${self}`
    const refused = [1, 2, 3, 4].map((self) => refusing.agree(self, { isValid: own(self) }, stop))
    await refusing.deliver()
    await refusing.clock.advanceTo(1_000)
    await refusing.deliver()
    stop.abort()
    await Promise.all(refused.map((one) => assert.rejects(one, code('VALUE_REFUSED'))))

    const blind = setUp()
    const end = new AbortController()
    const input = (): Promise<never> => Promise.reject(new DutyError('NO_BEACON_DATA'))
    const blinded = [1, 2, 3, 4].map((self) => blind.agree(self, { input }, end))
    await blind.deliver()
    end.abort()
    await Promise.all(blinded.map((one) => assert.rejects(one, code('NO_BEACON_DATA'))))
  })

  it('looks again at a refused value when the own view changes', async () => {
    const { agree, deliver } = setUp()
    let supported = false
    const listeners: (() => void)[] = []
    const onChange = (listener: () => void) => {
      listeners.push(listener)
      return () => {}
    }
    const decisions = [1, 2, 3, 4].map((self) => agree(self, { isValid: () => supported, onChange }))
    await deliver()
    supported = true
    for (const listener of listeners) listener()
    await deliver()
    for (const listener of listeners) listener()
    await deliver()
    assert.equal((await Promise.all(decisions)).length, 4)
  })

  it('forgets instances of past slots', async () => {
    const { agree, deliver, at, frames, clock } = setUp()
    const late = agree(4)
    late.catch(() => undefined)
    const decisions = [1, 2, 3].map((self) => agree(self))
    await deliver(({ to }) => to !== 4)
    await Promise.all(decisions)
    for (const self of [1, 2, 3]) at(self).prune(() => 101)
    await clock.advanceTo(1_000)
    await settle()
    const asked = frames.length
    await deliver()
    assert.equal(asked, 3)
    assert.equal(frames.length, 0)
  })
})
