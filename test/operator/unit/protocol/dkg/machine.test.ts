import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { BlsSignature, EcdsaSignature, MemberIndex, PublicKey, Root } from '../../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes } from '../../../../../operator/core/parse.ts'
import { thresholdOf } from '../../../../../operator/core/vault.ts'
import { blst } from '../../../../../operator/protocol/bls/backend.ts'
import { evaluate, scalarToBytes, sumScalars } from '../../../../../operator/protocol/bls/scalars.ts'
import { fastAggregateVerify, verifySignature } from '../../../../../operator/protocol/bls/signatures.ts'
import { DkgMachine } from '../../../../../operator/protocol/dkg/machine.ts'
import type { DkgCompletion, DkgEffect, DkgFailure, MemberMessage } from '../../../../../operator/protocol/dkg/machine-types.ts'
import { resultOf } from '../../../../../operator/protocol/dkg/result.ts'
import { type CeremonyStatement, ceremonyDigest, dkgResultDigest } from '../../../../../operator/protocol/messages/ceremony.ts'
import type { SignedCeremonyStatement } from '../../../../../operator/protocol/messages/ceremony-codec.ts'
import { ceremonyFrom, contextOf } from './support.ts'

const depositRoot = `0x${'d0'.repeat(32)}` as Root

/** A signature that only the machine under test sees: the digest and the signer, in its length. */
const mark = (digest: Root, member: number) => `${digest}${member.toString(16).padStart(66, '0')}` as EcdsaSignature

type Change = (message: MemberMessage, to: MemberIndex) => readonly MemberMessage[]

/** A vault whose members hold the scripted secrets of `ceremonyFrom`, joined by a network that a test bends. */
function vaultOf(size: number, bend: Change = (message) => [message], verdict: (self: number, dealer: number) => boolean = () => true) {
  const ceremony = ceremonyFrom(3n, size)
  const blsKeys = Array.from({ length: size }, (_, i) => blst.SecretKey.fromKeygen(new Uint8Array(32).fill(i + 1)))
  const signingKeys = blsKeys.map((key) => bytesToHex(key.toPublicKey().toBytes()) as PublicKey)
  const machines = ceremony.qualified.map(
    (self) =>
      new DkgMachine({
        context: contextOf(size, self),
        signingKeys,
        verify: (member, digest, signature) => signature === mark(digest, member),
      }),
  )
  const queue: { readonly from: MemberIndex; readonly to: MemberIndex; readonly message: MemberMessage }[] = []
  const ended = new Map<MemberIndex, DkgCompletion | DkgFailure>()
  const faults: string[] = []
  const signed = (statement: CeremonyStatement, member: MemberIndex): SignedCeremonyStatement => ({
    ...statement,
    signature: mark(ceremonyDigest(ceremony.context, statement), member),
  })
  const machineOf = (member: MemberIndex) => machines[member - 1] ?? assert.fail()
  const sign = (self: MemberIndex, message: Root) => {
    const share = sumScalars(ceremony.polynomials.map((coefficients) => evaluate(coefficients, self)))
    const partial = blst.SecretKey.fromBytes(scalarToBytes(share)).sign(hexToBytes(depositRoot)).toBytes()
    const participation = (blsKeys[self - 1] ?? assert.fail()).sign(hexToBytes(message)).toBytes()
    return {
      kind: 'participation',
      member: self,
      partial: bytesToHex(partial) as BlsSignature,
      participation: bytesToHex(participation) as BlsSignature,
    } as const
  }
  const perform = (self: MemberIndex, effects: readonly DkgEffect[]): void => {
    const machine = machineOf(self)
    for (const effect of effects) {
      switch (effect.kind) {
        case 'broadcast':
          for (const to of ceremony.qualified) {
            if (to !== self) for (const message of bend(effect.message, to)) queue.push({ from: self, to, message })
          }
          break
        case 'deal':
          perform(self, machine.say(signed({ kind: 'dealing', dealing: ceremony.dealings[self - 1] ?? assert.fail() }, self)))
          break
        case 'open':
          perform(self, machine.opened({ dealer: effect.dealing.dealer, good: verdict(self, effect.dealing.dealer) }))
          break
        case 'agree':
          assert.ok(machine.isTranscript(effect.value))
          perform(self, machine.decided(effect.value))
          break
        case 'reveal':
          perform(self, machine.say(signed({ kind: 'reveal', reveal: ceremony.reveals[self - 1] ?? assert.fail() }, self)))
          break
        case 'sign':
          perform(self, machine.sign(sign(self, dkgResultDigest(ceremony.context, effect.result)), depositRoot))
          break
        case 'done':
          ended.set(self, effect.completion)
          break
        case 'failed':
          ended.set(self, effect.failure)
          break
        case 'fault':
          faults.push(`${effect.member} ${effect.rule}`)
      }
    }
  }
  const start = (members: readonly MemberIndex[] = ceremony.qualified) => {
    for (const self of members) {
      perform(self, machineOf(self).say(signed({ kind: 'join', member: self, joinKey: ceremony.joinKeys[self - 1] ?? '0x' }, self)))
    }
  }
  /** Delivers everything, each time the message that `pick` chooses. */
  const run = (pick: (count: number) => number = () => 0) => {
    while (queue.length > 0) {
      const [next] = queue.splice(pick(queue.length), 1)
      if (next !== undefined) perform(next.to, machineOf(next.to).receive(next.from, next.message))
    }
  }
  const deadline = () => {
    for (const self of ceremony.qualified) perform(self, machineOf(self).deadline())
    run()
  }
  return { ceremony, machines, signed, sign, signingKeys, start, run, deadline, ended, faults, perform, machineOf }
}

const failures = (ended: ReadonlyMap<MemberIndex, DkgCompletion | DkgFailure>) =>
  [...ended.values()].map((end) => ('rule' in end ? `${end.stage} ${end.rule} ${end.members.join()}` : 'done'))

describe('DKG machine', () => {
  for (const [size, numRuns] of [
    [4, 12],
    [7, 2],
  ] as const) {
    it(`brings ${size} members to one result whatever the order and repetition of messages`, () => {
      fc.assert(
        fc.property(fc.infiniteStream(fc.nat()), fc.boolean(), (order, twice) => {
          const vault = vaultOf(size, (message) => (twice ? [message, message] : [message]))
          vault.start()
          vault.run((count) => (order.next().value ?? 0) % count)
          const expected = resultOf(vault.ceremony)
          assert.equal(vault.ended.size, size)
          for (const end of vault.ended.values()) {
            assert.ok('result' in end)
            assert.deepEqual(end.result, expected)
            assert.deepEqual(end.participants, vault.ceremony.qualified)
            assert.ok(verifySignature(expected.groupKey, depositRoot, end.depositSignature))
            assert.ok(fastAggregateVerify(vault.signingKeys, dkgResultDigest(vault.ceremony.context, expected), end.aggregateSignature))
          }
          assert.deepEqual(vault.faults, [])
        }),
        { numRuns },
      )
    })
  }

  it('names who was silent, at each stage', () => {
    const silentFrom = (kind: MemberMessage['kind'] | 'never') =>
      vaultOf(4, (message) => {
        const member =
          message.kind === 'dealing' ? message.dealing.dealer : message.kind === 'reveal' ? message.reveal.member : message.member
        return message.kind === kind && member === 2 ? [] : [message]
      })
    for (const [kind, expected] of [
      ['join', 'join SILENT 2'],
      ['dealing', 'deal SILENT 2'],
      ['reveal', 'reveal SILENT 2'],
    ] as const) {
      const vault = silentFrom(kind)
      vault.start()
      vault.run()
      assert.equal(vault.ended.size, 0)
      vault.deadline()
      assert.deepEqual(failures(vault.ended).filter((failure) => failure === expected).length, 3, kind)
    }
  })

  it('succeeds with a threshold of signatures when the time is over, not before and not with fewer', () => {
    for (const [lost, expected] of [
      [[4], 'done'],
      [[3, 4], 'sign SILENT 3,4'],
    ] as const) {
      const vault = vaultOf(4, (message) =>
        message.kind === 'participation' && lost.some((member) => member === message.member) ? [] : [message],
      )
      vault.start()
      vault.run()
      assert.ok(!vault.ended.has(1 as MemberIndex))
      vault.deadline()
      const end = vault.ended.get(1 as MemberIndex)
      assert.ok(end)
      assert.equal(failures(new Map([[1 as MemberIndex, end]]))[0], expected)
      if ('result' in end) {
        assert.deepEqual(end.participants, [1, 2, 3])
        assert.equal(end.participants.length, thresholdOf(4))
        assert.ok(
          fastAggregateVerify(vault.signingKeys.slice(0, 3), dkgResultDigest(vault.ceremony.context, end.result), end.aggregateSignature),
        )
      }
    }
  })

  it('ends the round by a bad dealing, whoever finds it', () => {
    const vault = vaultOf(4, undefined, (self, dealer) => !(self === 3 && dealer === 2))
    vault.start()
    vault.run()
    vault.deadline()
    assert.deepEqual(failures(vault.ended), ['deal BAD_DEALING 2', 'reveal SILENT 3', 'reveal SILENT 3', 'reveal SILENT 3'])
  })

  it('ends the round by an equivocation before the transcript is fixed, and shrugs it off after', () => {
    const [a, b] = [vaultOf(4), vaultOf(4)]
    const second = (vault: typeof a): SignedCeremonyStatement =>
      vault.signed({ kind: 'join', member: 2 as MemberIndex, joinKey: vault.ceremony.joinKeys[0] ?? '0x' }, 2 as MemberIndex)
    a.start([1, 2] as MemberIndex[])
    a.run()
    a.perform(1 as MemberIndex, a.machineOf(1 as MemberIndex).receive(2 as MemberIndex, second(a)))
    assert.deepEqual(failures(a.ended), ['join EQUIVOCATION 2'])
    b.start()
    b.run((count) => count - 1)
    assert.deepEqual(failures(b.ended), ['done', 'done', 'done', 'done'])
    assert.deepEqual(b.machineOf(1 as MemberIndex).receive(2 as MemberIndex, second(b)), [])
  })

  it('drops forged, foreign and malformed messages and goes on', () => {
    const vault = vaultOf(4)
    const [one, two, three] = [1, 2, 3] as MemberIndex[]
    assert.ok(one && two && three)
    const receive = (from: MemberIndex, message: MemberMessage) => vault.perform(one, vault.machineOf(one).receive(from, message))
    const joinKey = vault.ceremony.joinKeys[1] ?? '0x'
    receive(two, vault.signed({ kind: 'join', member: three, joinKey }, two))
    receive(two, vault.signed({ kind: 'join', member: two, joinKey: `0x${'00'.repeat(128)}` }, two))
    receive(two, { ...vault.sign(three, depositRoot) })
    receive(two, { ...vault.sign(two, depositRoot), partial: vault.sign(three, depositRoot).partial })
    assert.deepEqual(vault.faults, ['2 BAD_SIGNATURE', '2 BAD_JOIN_KEY', '2 NOT_ITS_OWN'])
    vault.start()
    vault.run()
    assert.deepEqual(failures(vault.ended), ['done', 'done', 'done', 'done'].slice(0, vault.ended.size))
    assert.equal(vault.faults[3], '2 BAD_PARTICIPATION')
    vault.deadline()
    assert.equal(vault.ended.size, 4)
    assert.ok(vault.machineOf(one).said.length === 4)
  })

  it('does not go on with a transcript other than its own', () => {
    const vault = vaultOf(4)
    vault.start([1, 2, 3] as MemberIndex[])
    const machine = vault.machineOf(1 as MemberIndex)
    assert.ok(!machine.isTranscript(new Uint8Array(4)))
    assert.deepEqual(machine.decided(new Uint8Array(4)), [])
  })
})
