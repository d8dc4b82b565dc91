import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { BlsSignature, Root } from '../../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toBlsSignature } from '../../../../../operator/core/parse.ts'
import { blst } from '../../../../../operator/protocol/bls/backend.ts'
import {
  aggregateSignatures,
  fastAggregateVerify,
  type SignedBy,
  verifyEach,
  verifySignature,
} from '../../../../../operator/protocol/bls/signatures.ts'
import { messageOf, NobleG2, publicKeyOf, secretBytes, signatureOutsideSubgroup } from './support.ts'

const message = messageOf(7)
const sign = (secret: bigint, root: Root = message): BlsSignature =>
  toBlsSignature(bytesToHex(blst.SecretKey.fromBytes(secretBytes(secret)).sign(hexToBytes(root)).toBytes()))
const signedBy = (secret: bigint): SignedBy => ({ publicKey: publicKeyOf(secret), signature: sign(secret) })
const SECRETS = [11n, 12n, 13n, 14n, 15n]

describe('signatures verified together', () => {
  it('hold when each holds by itself', () => {
    for (let count = 1; count <= SECRETS.length; count++) assert.ok(verifyEach(SECRETS.slice(0, count).map(signedBy), message))
  })

  it('do not hold when one is of another root, of another key, malformed or no member of the group', () => {
    const good = SECRETS.map(signedBy)
    const infinity = toBlsSignature(`0xc0${'00'.repeat(95)}`)
    const wrong = [sign(11n, messageOf(8)), sign(99n), signatureOutsideSubgroup(), infinity, toBlsSignature(`0x${'11'.repeat(96)}`)]
    for (const signature of wrong) {
      for (const at of good.keys()) {
        assert.equal(verifyEach(good.with(at, { publicKey: publicKeyOf(SECRETS[at] ?? 0n), signature }), message), false)
      }
    }
    assert.equal(verifyEach([], message), false)
  })

  it('do not hold when two are wrong by what cancels out in their sum', () => {
    const good = SECRETS.map(signedBy)
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 1n << 64n }),
        fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 2, maxLength: 2 }),
        (by, pair) => {
          const delta = NobleG2.BASE.multiply(by)
          const bad = good.map(({ publicKey, signature }, at) => {
            const point = NobleG2.fromHex(signature.slice(2))
            const other = at === pair[0] ? point.add(delta) : at === pair[1] ? point.subtract(delta) : point
            return { publicKey, signature: toBlsSignature(`0x${other.toHex(true)}`) }
          })
          // What a plain sum does not see.
          const sum = aggregateSignatures(bad.map(({ signature }) => signature))
          assert.ok(
            fastAggregateVerify(
              bad.map(({ publicKey }) => publicKey),
              message,
              sum,
            ),
          )
          assert.equal(bad.filter(({ publicKey, signature }) => verifySignature(publicKey, message, signature)).length, SECRETS.length - 2)
          assert.equal(verifyEach(bad, message), false)
        },
      ),
      { numRuns: 5 },
    )
  })
})
