import { keccak256 } from 'ethers'
import type { Hex } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'
import { type G1, GROUP_ORDER, type Scalar } from './backend.ts'
import type { DleqProof } from './dleq.ts'
import { G } from './generators.ts'
import { g1ToEip2537, multiply, sumPoints } from './points.ts'
import { bigIntToBytes, evaluate, modOrder, scalarFromBytes, scalarToBytes } from './scalars.ts'

/** What is claimed: the prover knows the logarithm of `point` to G. `label` and `binding` tie the proof to its one use. */
export type KnowledgeStatement = { readonly label: string; readonly binding: Uint8Array; readonly point: G1 }

function challengeOf({ label, binding, point }: KnowledgeStatement, commitment: G1): Hex {
  const points = [G, point, commitment].map((each) => hexToBytes(g1ToEip2537(each)))
  const digest = keccak256(Buffer.concat([hexToBytes(keccak256(Buffer.from(label, 'ascii'))), binding, ...points]))
  return bytesToHex(bigIntToBytes(BigInt(digest) % GROUP_ORDER))
}

/** Proves knowledge of a point's logarithm (Schnorr 1991, made non-interactive). A nonce must never serve two statements. */
export function proveKnowledge(statement: KnowledgeStatement, secret: Scalar, nonce: Scalar): DleqProof {
  const challenge = challengeOf(statement, multiply(G, nonce))
  const response = evaluate([nonce, secret], modOrder(-BigInt(challenge)))
  return { challenge, response: bytesToHex(scalarToBytes(response)) }
}

/** Verifies c = H(statement, G^s·X^c). False for scalars out of range. */
export function verifyKnowledge(statement: KnowledgeStatement, proof: DleqProof): boolean {
  try {
    const challenge = scalarFromBytes(hexToBytes(proof.challenge))
    const response = scalarFromBytes(hexToBytes(proof.response))
    return challengeOf(statement, sumPoints([multiply(G, response), multiply(statement.point, challenge)])) === proof.challenge
  } catch {
    return false
  }
}
