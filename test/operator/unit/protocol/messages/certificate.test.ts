import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { SecretKey } from '@chainsafe/blst'
import { AbiCoder, keccak256, TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import type { BlsSignature, PoolId, Root, Slot } from '../../../../../operator/core/ids.ts'
import { bytesToHex } from '../../../../../operator/core/parse.ts'
import { BlsError } from '../../../../../operator/protocol/bls/errors.ts'
import { decompressSignature, signatureToEip2537 } from '../../../../../operator/protocol/bls/points.ts'
import { ByteReader, CodecError } from '../../../../../operator/protocol/messages/bytes.ts'
import {
  CERTIFICATE_BYTES,
  CERTIFICATE_TYPE,
  certificateDigest,
  type DutyCertificate,
  encodeDutyCertificate,
  readDutyCertificate,
} from '../../../../../operator/protocol/messages/certificate.ts'
import {
  certificateBranch,
  certificateLeaf,
  certificatesRoot,
  compareCertificates,
  decodeCertificateSet,
  encodeCertificateSet,
} from '../../../../../operator/protocol/messages/certificate-set.ts'
import { domainSeparatorOf } from '../../../../../operator/protocol/messages/eip712.ts'

const root = (): Root => bytesToHex(randomBytes(32)) as Root
const signature = bytesToHex(SecretKey.fromKeygen(randomBytes(32)).sign(randomBytes(32)).toBytes(true)) as BlsSignature

const certificates = fc.record({
  poolId: fc.integer({ min: 1, max: 2 ** 32 - 1 }).map((id) => id as PoolId),
  round: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  slot: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map((slot) => slot as Slot),
  dutyType: fc.integer({ min: 0, max: 255 }),
  signingRoot: fc.constant(null).map(root),
  participation: fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }),
  signature: fc.constant(signature),
})
const setOf = (size: number): DutyCertificate[] =>
  Array.from({ length: size }, (_, i) => ({
    poolId: (1 + Math.floor(i / 4)) as PoolId,
    round: 0,
    slot: (10 + (Math.floor(i / 2) % 2)) as Slot,
    dutyType: 1 + (i % 2),
    signingRoot: root(),
    participation: 7n,
    signature,
  }))

describe('duty certificates', () => {
  it('are signed as EIP-712 typed data', () => {
    const fields = CERTIFICATE_TYPE.slice('DutyCertificate('.length, -1)
      .split(',')
      .map((field) => ({ type: field.split(' ')[0] ?? '', name: field.split(' ')[1] ?? '' }))
    const contract = bytesToHex(randomBytes(20))
    const separator = domainSeparatorOf({ chainId: 5n, contract })
    fc.assert(
      fc.property(certificates, (certificate) => {
        const wallet = TypedDataEncoder.hash(
          { name: 'Open Pools', version: '1', chainId: 5n, verifyingContract: contract },
          { DutyCertificate: fields },
          certificate,
        )
        assert.equal(certificateDigest(separator, certificate), wallet)
      }),
    )
  })

  it('survive encoding, to the last bit', () => {
    fc.assert(
      fc.property(certificates, (certificate) => {
        const bytes = encodeDutyCertificate(certificate)
        assert.equal(bytes.length, CERTIFICATE_BYTES)
        assert.deepEqual(readDutyCertificate(new ByteReader(bytes)), { ...certificate })
      }),
    )
  })

  it('of nobody, or cut short, are refused', () => {
    const [certificate] = setOf(1)
    assert.ok(certificate)
    assert.throws(() => readDutyCertificate(new ByteReader(encodeDutyCertificate({ ...certificate, participation: 0n }))), CodecError)
    assert.throws(() => readDutyCertificate(new ByteReader(encodeDutyCertificate(certificate).subarray(1))), CodecError)
  })

  it('have the leaf that Solidity computes: keccak256 twice over the ABI encoding', () => {
    fc.assert(
      fc.property(certificates, (certificate) => {
        const { poolId, round, slot, dutyType, signingRoot, participation } = certificate
        const point = signatureToEip2537(certificate.signature)
        const words = Array.from({ length: 8 }, (_, i) => `0x${point.slice(2 + 64 * i, 66 + 64 * i)}`)
        const encoded = AbiCoder.defaultAbiCoder().encode(
          ['uint32', 'uint32', 'uint64', 'uint8', 'bytes32', 'uint128', 'bytes32[8]'],
          [poolId, round, slot, dutyType, signingRoot, participation, words],
        )
        assert.equal(certificateLeaf(certificate), keccak256(keccak256(encoded)))
      }),
      { numRuns: 20 },
    )
  })

  it('have a leaf with any point of the curve, and none without', () => {
    const [certificate] = setOf(1)
    assert.ok(certificate)
    const infinity = `0xc0${'00'.repeat(95)}` as BlsSignature
    assert.equal(decompressSignature(infinity), `0x${'00'.repeat(256)}`)
    assert.notEqual(certificateLeaf({ ...certificate, signature: infinity }), certificateLeaf(certificate))
    assert.throws(() => certificateLeaf({ ...certificate, signature: `0x80${'11'.repeat(95)}` as BlsSignature }), BlsError)
  })
})

describe('certificate sets', () => {
  it('survive encoding', () => {
    for (const size of [0, 1, 9]) {
      const set = setOf(size)
      assert.deepEqual(decodeCertificateSet(encodeCertificateSet(set)), set)
    }
  })

  it('have one order, and one certificate for each duty', () => {
    const set = setOf(8)
    for (const [i, certificate] of set.slice(1).entries()) {
      const swapped = [...set]
      ;[swapped[i], swapped[i + 1]] = [certificate, set[i] ?? certificate]
      assert.throws(() => encodeCertificateSet(swapped), CodecError)
      assert.throws(() => encodeCertificateSet([...set.slice(0, i + 1), ...set.slice(i)]), CodecError)
    }
    assert.deepEqual([...set].reverse().sort(compareCertificates), set)
    assert.throws(() => decodeCertificateSet(encodeCertificateSet(set).subarray(0, 5 * CERTIFICATE_BYTES - 1)), CodecError)
  })

  it('show each of their certificates by a branch, at every size', () => {
    assert.equal(certificatesRoot([]), `0x${'00'.repeat(32)}`)
    for (let size = 1; size <= 17; size++) {
      const leaves = Array.from({ length: size }, root)
      const whole = certificatesRoot(leaves)
      for (const [index, leaf] of leaves.entries()) {
        const reached = certificateBranch(leaves, index).reduce((node, sibling) => {
          const pair = node < sibling ? [node, sibling] : [sibling, node]
          return keccak256(`0x${pair.map((half) => half.slice(2)).join('')}`) as Root
        }, leaf)
        assert.equal(reached, whole)
      }
      assert.notEqual(certificatesRoot([...leaves, ...leaves.slice(-1)]), whole)
    }
  })
})
