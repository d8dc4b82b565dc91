import { hash } from 'node:crypto'
import type { Address, EcdsaSignature, MemberIndex, Root } from '../operator/core/ids.ts'
import type { Clock } from '../operator/core/ports/clock.ts'
import { thresholdOf } from '../operator/core/vault.ts'
import { encodeQbftFrame, openDutyFrame, readQbftBody } from '../operator/protocol/messages/duty.ts'
import { addressOf, type EcdsaVerifier, ecdsaVerifier, signEcdsa } from '../operator/protocol/messages/ecdsa.ts'
import { domainSeparatorOf } from '../operator/protocol/messages/eip712.ts'
import { leaderOf, qbftIdentity } from '../operator/protocol/qbft/identity.ts'
import { QbftSession } from '../operator/protocol/qbft/session.ts'
import { INSTANCE_CODES, type QbftMessage } from '../operator/protocol/qbft/types.ts'
import { type BenchResult, figure } from './support/figures.ts'
import { ADDRESSES } from './vault/ceremonies.ts'

const WARM_UP = 100
const domainSeparator = domainSeparatorOf({ chainId: 1n, contract: ADDRESSES.poolRegistry })

type Crypto = {
  readonly addressOf: (member: number) => Address
  readonly sign: (member: number, digest: Root) => EcdsaSignature
  readonly verifier: () => EcdsaVerifier
}

const keyOf = (member: number): Uint8Array => hash('sha256', `member ${member}`, 'buffer')
const secp256k1: Crypto = {
  addressOf: (member) => addressOf(keyOf(member)),
  sign: (member, digest) => signEcdsa(digest, keyOf(member)),
  verifier: ecdsaVerifier,
}
/** Signatures that cost nothing: what is left is the algorithm, its digests and its messages. */
const free: Crypto = {
  addressOf: (member) => `0x${member.toString(16).padStart(40, '0')}` as Address,
  sign: () => `0x${'11'.repeat(64)}1b` as EcdsaSignature,
  verifier: () => () => true,
}

type Decision = { readonly size: number; readonly slot: number; readonly crypto: Crypto; readonly verifyEcdsa: EcdsaVerifier }

/** All members of one instance in this process: every message is encoded, and decoded by each receiver. Returns CPU milliseconds. */
function decide({ size, slot, crypto, verifyEcdsa }: Decision): number {
  const instance = { poolId: 1, slot, duty: INSTANCE_CODES.attestation }
  const members = Array.from({ length: size }, (_, at) => crypto.addressOf(at + 1))
  const limits = { size, maxValueBytes: 128 }
  const value = hash('sha512', `value ${slot}`, 'buffer')
  const inFlight: { readonly from: MemberIndex; readonly to: number; readonly frame: Uint8Array }[] = []
  let decided = 0
  const start = process.cpuUsage()
  const sessions = members.map((address, at) => {
    const self = (at + 1) as MemberIndex
    const post = (to: number, frame: Uint8Array): void => {
      if (to !== at) inFlight.push({ from: self, to, frame })
    }
    const session: QbftSession = new QbftSession({
      size,
      quorum: thresholdOf(size),
      self,
      leaderOf: leaderOf(instance, size),
      firstRoundMs: 1_000,
      isValid: () => true,
      identity: qbftIdentity({
        instance,
        domainSeparator,
        key: {
          address,
          signOnce: (_, digest) => crypto.sign(self, digest),
          together: (work) => work(),
          announce: () => {},
          recall: () => [],
        },
        members,
        verifyEcdsa,
        limits,
        onRefused: () => {},
      }),
      clock: { now: () => 0 as ReturnType<Clock['now']>, at: () => () => {} },
      broadcast: (message: QbftMessage) => {
        const frame = encodeQbftFrame(instance, message)
        for (const to of members.keys()) post(to, frame)
      },
      send: (to, message) => post(to - 1, encodeQbftFrame(instance, message)),
      onDecided: () => {
        decided += 1
      },
      onFault: ({ member, fault }) => {
        throw new Error(`member ${member}: ${fault}`)
      },
      onRound: () => session.propose(value),
    })
    return session
  })
  for (const session of sessions) session.start()
  for (let next = inFlight.shift(); next !== undefined; next = inFlight.shift())
    sessions[next.to]?.receive(next.from, readQbftBody(openDutyFrame(next.frame).body, limits))
  const { user, system } = process.cpuUsage(start)
  if (decided !== size) throw new Error(`expected ${size} decisions, got ${decided}`)
  return (user + system) / 1000
}

/** CPU of one decision in one process, round 1, nobody faulty. */
export async function benchQbft({ size, decisions }: { readonly size: number; readonly decisions: number }): Promise<BenchResult> {
  const samplesOf = (crypto: Crypto): readonly number[] => {
    const samples: number[] = []
    const verifyEcdsa = crypto.verifier()
    for (let slot = -WARM_UP; slot < decisions; slot++) {
      const cpuMs = decide({ size, slot: slot + WARM_UP, crypto, verifyEcdsa })
      if (slot >= 0) samples.push(cpuMs)
    }
    return samples
  }
  const real = samplesOf(secp256k1)
  return {
    name: `qbft-${size}`,
    title: `QBFT of ${size} members in one process, CPU`,
    figures: [
      figure('a decision, all members', real),
      figure(
        'a decision, for a member',
        real.map((sample) => sample / size),
      ),
      figure('the same with signatures that cost nothing', samplesOf(free)),
    ],
    notes: ['Every message is encoded once and decoded by each receiver; no disk, no network.'],
  }
}
