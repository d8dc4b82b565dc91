import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecretKey } from '@chainsafe/blst'
import type { BlsSignature, PoolId, PublicKey, Root, Slot } from '../../../../../operator/core/ids.ts'
import { bytesToHex, hexToBytes } from '../../../../../operator/core/parse.ts'
import { aggregateSignatures } from '../../../../../operator/protocol/bls/signatures.ts'
import { certificateDigest, type DutyCertificate } from '../../../../../operator/protocol/messages/certificate.ts'
import {
  countBits,
  isOfSameDuty,
  mergeCertificates,
  verifyCertificate,
} from '../../../../../operator/protocol/messages/certificate-merge.ts'

const domain = `0x${'ab'.repeat(32)}` as Root
const secrets = [1, 2, 3, 4].map((seed) => SecretKey.fromKeygen(Buffer.alloc(32, seed)))
const keys = secrets.map((secret) => bytesToHex(secret.toPublicKey().toBytes()) as PublicKey)
const duty = { poolId: 1 as PoolId, round: 0, slot: 9 as Slot, dutyType: 1, signingRoot: `0x${'11'.repeat(32)}` as Root }

function by(...places: readonly number[]): DutyCertificate {
  const digest = hexToBytes(certificateDigest(domain, duty))
  const signatures = places.map((place) => bytesToHex(secrets[place]?.sign(digest).toBytes() ?? new Uint8Array()) as BlsSignature)
  const participation = places.reduce((bits, place) => bits | (1n << BigInt(place)), 0n)
  return { ...duty, participation, signature: aggregateSignatures(signatures) }
}

test('certificates of disjoint members are aggregated into one that is valid', () => {
  const merged = mergeCertificates(by(0, 2), by(1))
  assert.deepEqual(merged, by(0, 1, 2))
  assert.ok(verifyCertificate(merged, keys, domain))
})

test('of certificates that overlap the larger stands, and of two as large the first', () => {
  assert.deepEqual(mergeCertificates(by(0, 2), by(0, 1, 3)), by(0, 1, 3))
  assert.deepEqual(mergeCertificates(by(0, 1, 3), by(0, 2)), by(0, 1, 3))
  assert.deepEqual(mergeCertificates(by(0, 1), by(1, 2)), by(0, 1))
})

test('a bit without a signature behind it, one beyond the vault, another duty, and nobody are refused', () => {
  const good = by(0, 1)
  assert.ok(verifyCertificate(good, keys, domain))
  for (const forged of [
    { ...good, participation: 0b111n },
    { ...good, participation: 0b1n },
    { ...good, participation: 0b10011n },
    { ...good, participation: 0n },
    { ...good, slot: 10 as Slot },
    { ...good, round: 1 },
    { ...good, signature: `0x${'00'.repeat(96)}` as BlsSignature },
  ]) {
    assert.ok(!verifyCertificate(forged, keys, domain))
  }
  assert.ok(!verifyCertificate(good, keys, `0x${'cd'.repeat(32)}` as Root))
  assert.ok(isOfSameDuty(good, by(3)))
  assert.ok(!isOfSameDuty(good, { ...good, signingRoot: domain }))
  assert.equal(countBits(0b1011n), 3)
})
