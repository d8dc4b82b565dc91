import { keccak256 } from 'ethers'
import type { Hex } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import { type G1, GROUP_ORDER, type Scalar } from './backend.ts'
import { g1ToEip2537, multiply, sumPoints } from './points.ts'
import { bigIntToBytes, evaluate, modOrder, scalarFromBytes, scalarToBytes } from './scalars.ts'

/** What is claimed: pointA = baseA^x and pointB = baseB^x for one x. `label` and `binding` tie the proof to its one use. */
export type DleqStatement = {
  /** Constant name of the kind of proof. */
  readonly label: string
  /** Ceremony context and prover, so that no proof can be replayed elsewhere. */
  readonly binding: Uint8Array
  readonly baseA: G1
  readonly pointA: G1
  readonly baseB: G1
  readonly pointB: G1
}

/** Chaum–Pedersen proof made non-interactive by Fiat–Shamir: 32-byte scalars as hex. */
export type DleqProof = { readonly challenge: Hex; readonly response: Hex }

function challengeOf(statement: DleqStatement, commitmentA: G1, commitmentB: G1): Hex {
  const { label, binding, baseA, pointA, baseB, pointB } = statement
  const digest = keccak256(
    Buffer.concat([
      hexToBytes(keccak256(Buffer.from(label, 'ascii'))),
      binding,
      ...[baseA, pointA, baseB, pointB, commitmentA, commitmentB].map((point) => hexToBytes(g1ToEip2537(point))),
    ]),
  )
  return bytesToHex(bigIntToBytes(BigInt(digest) % GROUP_ORDER))
}

/**
 * Proves that two points have the same logarithm `secret` (Chaum and Pedersen 1992): with a fresh random `nonce` w,
 * c = H(statement, A^w, B^w), s = w − c·x. A nonce must never serve two statements.
 */
export function proveDleq(statement: DleqStatement, secret: Scalar, nonce: Scalar): DleqProof {
  const challenge = challengeOf(statement, multiply(statement.baseA, nonce), multiply(statement.baseB, nonce))
  // w + (−c)·x as a polynomial in −c: no secret passes through a BigInt.
  const response = evaluate([nonce, secret], modOrder(-BigInt(challenge)))
  return { challenge, response: bytesToHex(scalarToBytes(response)) }
}

/** Verifies c = H(statement, A^s·X^c, B^s·Y^c). False for scalars out of range. */
export function verifyDleq(statement: DleqStatement, proof: DleqProof): boolean {
  try {
    const challenge = scalarFromBytes(hexToBytes(proof.challenge))
    const response = scalarFromBytes(hexToBytes(proof.response))
    const commitmentA = sumPoints([multiply(statement.baseA, response), multiply(statement.pointA, challenge)])
    const commitmentB = sumPoints([multiply(statement.baseB, response), multiply(statement.pointB, challenge)])
    return challengeOf(statement, commitmentA, commitmentB) === proof.challenge
  } catch {
    return false
  }
}
