import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { keccak256 } from 'ethers'
import type { Hex, MemberIndex } from '../../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes } from '../../../../../operator/core/parse.ts'
import type { Complaint, Dealing } from '../../../../../operator/core/ports/ceremony.ts'
import { G } from '../../../../../operator/protocol/bls/generators.ts'
import { g1ToEip2537, multiply } from '../../../../../operator/protocol/bls/points.ts'
import { bigIntToBytes, scalarFromBigInt, scalarToBytes } from '../../../../../operator/protocol/bls/scalars.ts'
import { proveKnowledge, verifyKnowledge } from '../../../../../operator/protocol/bls/schnorr.ts'
import { judgeComplaint, makeComplaint } from '../../../../../operator/protocol/dkg/complaint.ts'
import { bindingOf } from '../../../../../operator/protocol/dkg/context.ts'
import { joinKeyPoint, sharePad, xorShare } from '../../../../../operator/protocol/dkg/dealing.ts'
import { mayHold, possessionStatement } from '../../../../../operator/protocol/dkg/join.ts'
import { NobleG1, order, outsideSubgroup } from '../bls/support.ts'
import { ceremonyFrom, noProof } from './support.ts'

const DEALER = 2 as MemberIndex
const MEMBER = 3 as MemberIndex
const ceremony = ceremonyFrom(5n, 4)
const { context, ephemeral } = ceremony
const honest = ceremony.dealings[DEALER - 1] as Dealing
const secretOf = (member: number) => {
  const secret = ephemeral[member - 1]
  assert.ok(secret)
  return secret
}
const complain = (dealing: Dealing, member: MemberIndex = MEMBER): Complaint =>
  makeComplaint(context, { dealing, member }, { ephemeral: secretOf(member), nonce: scalarFromBigInt(4711n) })
const encrypt = (share: bigint): Hex => {
  const shared = multiply(joinKeyPoint(honest.joinKeys[MEMBER - 1] ?? '0x', MEMBER), secretOf(DEALER))
  return bytesToHex(xorShare(bigIntToBytes(share), sharePad(shared, context, DEALER, MEMBER)))
}
const dealt = (share: bigint): Dealing => ({ ...honest, ciphertexts: honest.ciphertexts.with(MEMBER - 1, encrypt(share)) })

const nobleOf = (hex: Hex) => {
  const [x = 0n, y = 0n] = [hex.slice(2, 130), hex.slice(130)].map((digits) => BigInt(`0x${digits}`))
  return NobleG1.fromAffine({ x, y })
}
const eip2537 = (point: InstanceType<typeof NobleG1>): string => {
  const { x, y } = point.toAffine()
  return [x, y].map((value) => value.toString(16).padStart(128, '0')).join('')
}

describe('complaints', () => {
  it('A33 true ones convict the dealer, with the rule that it broke', () => {
    const faults = [
      [dealt(77n), 'share'],
      [dealt(order), 'share-range'],
      [dealt(2n ** 256n - 1n), 'share-range'],
      [{ ...honest, commitments: honest.commitments.with(1, `0x${'00'.repeat(128)}`) }, 'commitment'],
      [{ ...honest, commitments: honest.commitments.slice(1) }, 'shape'],
      [{ ...honest, ciphertexts: [...honest.ciphertexts, null] }, 'shape'],
      [{ ...honest, ciphertexts: honest.ciphertexts.with(MEMBER - 1, null) }, null],
    ] as const
    for (const [dealing, fault] of faults) {
      const judgement = judgeComplaint(context, dealing, complain(dealing))
      assert.equal(judgement.guilty, 'dealer')
      if (fault !== null) assert.equal(judgement.fault, fault)
    }
  })

  it('A33 false ones fall back on the complainer, and so do bent ones, however bad the dealing', () => {
    assert.deepEqual(judgeComplaint(context, honest, complain(honest)), { guilty: 'complainer', fault: 'none' })
    const bad = dealt(77n)
    const complaint = complain(bad)
    const { proof } = complaint
    const other = g1ToEip2537(multiply(G, scalarFromBigInt(9n)))
    const { x, y } = outsideSubgroup()
    const outside: Hex = `0x${[x, y].map((value) => value.toString(16).padStart(128, '0')).join('')}`
    const bent: Complaint[] = [
      { ...complaint, sharedPoint: other },
      { ...complaint, sharedPoint: outside },
      { ...complaint, sharedPoint: `0x${'00'.repeat(128)}` },
      { ...complaint, proof: { ...proof, response: proof.challenge } },
      { ...complaint, proof: { ...proof, response: bytesToHex(bigIntToBytes(BigInt(proof.response) + order)) } },
      // Of another dealer's point, of another member.
      { ...complain(ceremony.dealings[0] as Dealing), dealer: DEALER },
      { ...complain(bad, 1 as MemberIndex), member: MEMBER },
    ]
    for (const each of bent) assert.deepEqual(judgeComplaint(context, bad, each), { guilty: 'complainer', fault: 'proof' })
  })

  it('A18 hold in no other ceremony', () => {
    const bad = dealt(77n)
    const complaint = complain(bad)
    for (const change of [{ chainId: 2n }, { poolId: 4 as typeof context.poolId }, { round: 3 }, { kind: 'rotation' as const }]) {
      const elsewhere = { ...context, ...change }
      assert.deepEqual(judgeComplaint(elsewhere, bad, complaint), { guilty: 'complainer', fault: 'proof' })
    }
  })

  it('open what noble computes: the shared point, its proof and the share', () => {
    const bad = dealt(77n)
    const { sharedPoint, proof } = complain(bad)
    const secret = BigInt(bytesToHex(scalarToBytes(secretOf(MEMBER))))
    const [dealerKey, memberKey] = [nobleOf(honest.joinKeys[DEALER - 1] ?? '0x'), NobleG1.BASE.multiply(secret)]
    const shared = dealerKey.multiply(secret)
    assert.equal(sharedPoint, `0x${eip2537(shared)}`)

    const [challenge, response] = [BigInt(proof.challenge), BigInt(proof.response)]
    const commitments = [
      NobleG1.BASE.multiply(response).add(memberKey.multiply(challenge)),
      dealerKey.multiply(response).add(shared.multiply(challenge)),
    ]
    const label = keccak256(Buffer.from('open-pools/dkg/shared-point')).slice(2)
    const binding = Buffer.from(bindingOf(context, DEALER, MEMBER)).toString('hex')
    const points = [NobleG1.BASE, memberKey, dealerKey, shared, ...commitments].map(eip2537)
    assert.equal(BigInt(keccak256(`0x${label}${binding}${points.join('')}`)) % order, challenge)

    const pad = createHash('sha256')
      .update(hexToBytes(`0x${shared.toHex(true)}`))
      .update(Buffer.from(binding, 'hex'))
      .digest()
    const opened = BigInt(`0x${pad.toString('hex')}`) ^ BigInt(bad.ciphertexts[MEMBER - 1] ?? '0x')
    assert.equal(opened, 77n)
  })
})

describe('possession of join keys', () => {
  const joinKey = honest.joinKeys[DEALER - 1] ?? '0x'
  const proof = proveKnowledge(possessionStatement(context, DEALER, joinKey), secretOf(DEALER), scalarFromBigInt(123n))

  it('is shown by who holds the secret, at its own place in its own ceremony', () => {
    assert.ok(mayHold(context, { member: DEALER, joinKey, proof }))
    assert.ok(verifyKnowledge(possessionStatement(context, DEALER, joinKey), proof))
    const others = [{ chainId: 2n }, { round: 3 }, { poolId: 4 as typeof context.poolId }, { kind: 'rotation' as const }]
    for (const change of others) assert.ok(!mayHold({ ...context, ...change }, { member: DEALER, joinKey, proof }))
    assert.ok(!mayHold(context, { member: DEALER, joinKey, proof: { ...proof, challenge: proof.response } }))
    assert.ok(!mayHold(context, { member: DEALER, joinKey, proof: noProof }))
  })

  it('a copy of another’s key shows none: a complaint about its bad dealing would open an honest share', () => {
    // The thief joins as member 4 with the dealer's key and its proof, and deals garbage to member 3.
    assert.ok(!mayHold(context, { member: 4 as MemberIndex, joinKey, proof }))
    // Why it must not: what member 3 would have to show against it is the very point that hides the honest dealer's share.
    const joinKeys = honest.joinKeys.with(3, joinKey)
    const garbage: Dealing = { ...dealt(77n), dealer: 4 as MemberIndex, joinKeys }
    const { sharedPoint } = complain(garbage)
    const stolen = xorShare(
      hexToBytes(honest.ciphertexts[MEMBER - 1] ?? '0x'),
      sharePad(joinKeyPoint(sharedPoint, MEMBER), context, DEALER, MEMBER),
    )
    const share = ceremony.polynomials[DEALER - 1]?.reduce((sum, coefficient, k) => {
      return (sum + BigInt(bytesToHex(scalarToBytes(coefficient))) * BigInt(MEMBER) ** BigInt(k)) % order
    }, 0n)
    assert.equal(BigInt(bytesToHex(stolen)), share)
  })
})
