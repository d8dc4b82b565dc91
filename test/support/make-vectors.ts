/**
 * Writes `test/vectors/*.json`, for every implementation of the same thing: Solidity's, the operator's, anybody's. The
 * answers come from others' code (noble, blst, Lodestar). Run: `node --import tsx test/support/make-vectors.ts`.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { SecretKey } from '@chainsafe/blst'
import { ComputeShuffledIndex, SHUFFLE_ROUNDS_MAINNET } from '@chainsafe/swap-or-not-shuffle'
import { DOMAIN_DEPOSIT } from '@lodestar/params'
import { computeDomain, computeSigningRoot, ZERO_HASH } from '@lodestar/state-transition'
import { ssz } from '@lodestar/types'
import { bls12_381 } from '@noble/curves/bls12-381.js'

const COUNT = 8
const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`
const bytesOf = (label: string, i: number) => createHash('sha256').update(`Open Pools vectors: ${label} ${i}`).digest()
const many = <T>(make: (i: number) => T): T[] => Array.from({ length: COUNT }, (_, i) => make(i))

function hashToG2(i: number) {
  const message = bytesOf('message', i)
  const point = bls12_381.G2.hashToCurve(message, { DST: 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_' })
  return { message: hex(message), point: hex(point.toBytes(true)) }
}

function deposit(i: number) {
  const secretKey = SecretKey.fromKeygen(bytesOf('key', i))
  const pubkey = secretKey.toPublicKey().toBytes()
  const withdrawalCredentials = Buffer.concat([Buffer.from('010000000000000000000000', 'hex'), bytesOf('address', i).subarray(12)])
  const amount = i % 2 === 0 ? 1_000_000_000 : 31_000_000_000
  const forkVersion = bytesOf('fork', i).subarray(0, 4)
  const domain = computeDomain(DOMAIN_DEPOSIT, forkVersion, ZERO_HASH)
  const signingRoot = computeSigningRoot(ssz.phase0.DepositMessage, { pubkey, withdrawalCredentials, amount }, domain)
  const signature = secretKey.sign(signingRoot).toBytes()
  const dataRoot = ssz.phase0.DepositData.hashTreeRoot({ pubkey, withdrawalCredentials, amount, signature })
  return {
    publicKey: hex(pubkey),
    withdrawalCredentials: hex(withdrawalCredentials),
    amountGwei: String(amount),
    genesisForkVersion: hex(forkVersion),
    signingRoot: hex(signingRoot),
    signature: hex(signature),
    dataRoot: hex(dataRoot),
  }
}

function shuffle(i: number) {
  const seed = bytesOf('seed', i)
  const count = [1, 2, 7, 31, 240, 256, 257, 5_000][i] ?? 1
  const shuffled = new ComputeShuffledIndex(seed, count, SHUFFLE_ROUNDS_MAINNET)
  return { seed: hex(seed), count, first: Array.from({ length: Math.min(count, 24) }, (_, index) => shuffled.get(index)) }
}

for (const [name, vectors] of Object.entries({ 'hash-to-g2': many(hashToG2), deposits: many(deposit), shuffle: many(shuffle) })) {
  writeFileSync(new URL(`../vectors/${name}.json`, import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`)
}
