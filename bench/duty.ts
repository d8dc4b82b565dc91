import { hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import type { BlsSignature, PublicKey, Root } from '../operator/core/ids.ts'
import { bytesToHex, hexToBytes, toRoot } from '../operator/core/parse.ts'
import { thresholdOf } from '../operator/core/vault.ts'
import { blst, GROUP_ORDER } from '../operator/protocol/bls/backend.ts'
import { verifySignature } from '../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../operator/protocol/bls/threshold.ts'
import { type BenchResult, figure, timed } from './support/figures.ts'
import type { DutyReport, Registered } from './vault/protocol.ts'
import { POOLS } from './vault/spec.ts'
import { BenchVault } from './vault/vault.ts'

const SIZE = 4
const SLOT_MS = 125
/** Epochs before the first that counts: sources must exist. */
const FIRST_EPOCH = 10
/** An operator runs for weeks: its code is compiled and its caches are full. Before so many duties it is not. */
const WARM_UP_SLOTS = 1_000
/** The first of these are told of too: what a node does just after it was started. */
const FRESH_SLOTS = 100
/** Between the request to begin and the first slot. */
const LEAD_MS = 1_000
const POP_SUITE = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_'

/** Attestations of a vault of four processes over loopback: from the beacon node's data to the verified group signature. */
export async function benchDuty({ duties }: { readonly duties: number }): Promise<BenchResult> {
  const vault = await BenchVault.start({ size: SIZE, slotMs: SLOT_MS })
  try {
    const pools: Registered[] = []
    while (pools.length < POOLS) pools.push((await vault.ceremony()).pool)
    const genesisTimeMs = Date.now() + LEAD_MS - FIRST_EPOCH * POOLS * SLOT_MS
    await vault.askAll({ kind: 'attest', pools, genesisTimeMs, slotMs: SLOT_MS })
    await delay(LEAD_MS + WARM_UP_SLOTS * SLOT_MS)
    const before = await vault.askAll({ kind: 'report' })
    await delay(duties * SLOT_MS)
    const after = await vault.askAll({ kind: 'report' })

    const members = after.map((report, at) => {
      const earlier = before[at]
      const attestations = report.attestations.slice(earlier?.attestations.length ?? 0)
      const stageMs = (stage: string) => (report.stages[stage] ?? []).slice(earlier?.stages[stage]?.length ?? 0)
      return { attestations, stageMs, cpuMs: (report.cpuMs - (earlier?.cpuMs ?? 0)) / attestations.length }
    })
    const latencies = members.flatMap(({ attestations }) => attestations.map(({ latencyMs }) => latencyMs))
    const first = new Map<number, number>()
    for (const { slot, latencyMs } of members.flatMap(({ attestations }) => attestations))
      first.set(slot, Math.min(latencyMs, first.get(slot) ?? Number.POSITIVE_INFINITY))
    const fresh = before.flatMap(({ attestations }) => attestations.slice(0, FRESH_SLOTS)).map(({ latencyMs }) => latencyMs)
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
    const since = (count: (report: DutyReport) => number): number => sum(after.map(count)) - sum(before.map(count))
    const missed = since((report) => report.missed.length)
    const changes = since((report) => report.roundChanges)
    return {
      name: 'duty',
      title: `Attestations of a vault of ${SIZE}, each member a process, over loopback`,
      figures: [
        figure('data ready → verified group signature, each member', latencies),
        figure('data ready → verified group signature, first member', [...first.values()]),
        ...['agree', 'sign', 'share', 'aggregate'].map((stage) =>
          figure(
            `  of it: ${stage}`,
            members.flatMap(({ stageMs }) => stageMs(stage)),
          ),
        ),
        figure(
          'CPU of a member for a duty',
          members.map(({ cpuMs }) => cpuMs),
        ),
        figure(`each member, the first ${FRESH_SLOTS} duties after its start`, fresh),
        ...(await alternatives()),
      ],
      notes: [
        `One duty every ${SLOT_MS} ms, after ${WARM_UP_SLOTS} to warm up; shipped pipeline, key folders with fsync, libp2p; the beacon node answers at once, to all alike.`,
        'CPU includes the upkeep of a slot, 0.5 to 1 ms, which is the same for any number of duties, and making the certificate, which here each member does, in a network one of them.',
        `Missed: ${missed}; decided by a later round: ${changes}.`,
      ],
    }
  } finally {
    await vault.close()
  }
}

/** The same signature without agreement, disk and network, and in slower ways. */
async function alternatives() {
  const threshold = thresholdOf(SIZE)
  const scalar = (name: string): bigint => BigInt(`0x${hash('sha256', name)}`) % GROUP_ORDER
  const coefficients = Array.from({ length: threshold }, (_, k) => scalar(`coefficient ${k}`))
  const at = (x: bigint): bigint => coefficients.reduceRight((value, coefficient) => (value * x + coefficient) % GROUP_ORDER, 0n)
  const bytesOf = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
  const keys = [0, 1, 2, 3].map((index) => blst.SecretKey.fromBytes(bytesOf(at(BigInt(index)))))
  const publicKeys = keys.map((key) => bytesToHex(key.toPublicKey().toBytes()) as PublicKey)
  const [groupKey = publicKeys[0] as PublicKey] = publicKeys
  let messages = 0
  const nextRoot = (): Root => toRoot(`0x${hash('sha256', `message ${messages++}`)}`)
  const sign = (index: number, root: Root): BlsSignature =>
    bytesToHex(keys[index]?.sign(hexToBytes(root)).toBytes() ?? new Uint8Array()) as BlsSignature
  const others = (root: Root) => [2, 3].map((index) => ({ index, signature: sign(index, root) }))

  async function measured(what: string, runs: number, work: (root: Root, theirs: ReturnType<typeof others>) => void) {
    const prepared = Array.from({ length: runs * 2 }, nextRoot).map((root) => ({ root, theirs: others(root) }))
    const samples = await timed(runs, () => {
      const next = prepared.pop()
      if (next !== undefined) work(next.root, next.theirs)
    })
    return figure(what, samples)
  }
  const own = (root: Root) => ({ index: 1, signature: sign(1, root) })
  const { longSignatures, G1, G2 } = bls12_381
  return [
    await measured('floor: sign, combine, verify', 100, (root, theirs) => {
      verifySignature(groupKey, root, combinePartials([own(root), ...theirs], threshold))
    }),
    await measured('naive: every partial verified before it is combined', 100, (root, theirs) => {
      for (const { index, signature } of theirs) verifySignature(publicKeys[index] ?? groupKey, root, signature)
      verifySignature(groupKey, root, combinePartials([own(root), ...theirs], threshold))
    }),
    await measured('naive: the floor in JavaScript alone (noble)', 10, (root, theirs) => {
      const message = longSignatures.hash(hexToBytes(root), POP_SUITE)
      const partials = [
        { index: 1, point: longSignatures.sign(message, bytesOf(at(1n))) },
        ...theirs.map(({ index, signature }) => ({ index, point: G2.Point.fromHex(signature.slice(2)) })),
      ]
      const { Fr } = bls12_381.fields
      const lambda = (self: number): bigint =>
        partials.reduce(
          (value, { index }) => (index === self ? value : Fr.mul(value, Fr.div(BigInt(index), Fr.sub(BigInt(index), BigInt(self))))),
          1n,
        )
      const group = partials.map(({ index, point }) => point.multiply(lambda(index))).reduce((sum, point) => sum.add(point))
      if (!longSignatures.verify(group, message, G1.Point.fromHex(groupKey.slice(2)))) throw new Error('noble disagrees')
    }),
  ]
}
