// Program: a vault of shipped duty services in one process, on a simulated clock and network, lives through as many slots as its
// argument says, and prints one JSON array of how much memory stayed in use. Needs --expose-gc.
import { hash } from 'node:crypto'
import type {
  Address,
  BlsSignature,
  EcdsaSignature,
  Epoch,
  Hex,
  MemberIndex,
  ProducerId,
  PublicKey,
  Root,
  Slot,
  ValidatorIndex,
} from '../../operator/core/ids.ts'
import type { BeaconNode } from '../../operator/core/ports/beacon.ts'
import type { Log } from '../../operator/core/ports/log.ts'
import { DutyService } from '../../operator/duties/service.ts'
import type { DutyPool } from '../../operator/duties/types.ts'
import { SimNetwork } from '../../test/operator/simulation/network.ts'
import { CERTIFICATE_DOMAIN, signingKeyOf } from '../../test/operator/simulation/participation.ts'
import { Random } from '../../test/operator/simulation/random.ts'
import { ProcessClock, Scheduler } from '../../test/operator/simulation/scheduler.ts'
import { benchSpec, POOLS } from './spec.ts'

/** `heapMb` in use after `slots`, when `duties` of one member were done. */
export type SoakSample = { readonly slots: number; readonly heapMb: number; readonly duties: number }

const SIZE = 4
const SLOT_MS = 12_000
const SAMPLES = 10
const [slotsText] = process.argv.slice(2)
const slots = Number(slotsText)

const sha = (...parts: readonly (string | number)[]): Hex => `0x${hash('sha256', parts.join('|'))}`
const wide = (bytes: number, ...parts: readonly (string | number)[]): Hex =>
  `0x${sha(...parts)
    .slice(2)
    .repeat(4)
    .slice(0, bytes * 2)}`
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const nothing = (): void => {}

/** Bytes in use after everything that can be collected was. */
function inUse(): number {
  if (globalThis.gc === undefined) throw new Error('expected --expose-gc')
  for (let i = 0; i < 4; i++) globalThis.gc()
  return process.memoryUsage().heapUsed
}

const spec = benchSpec({ genesisTimeMs: 0, slotMs: SLOT_MS })
const block = (slot: number): Root => wide(32, 'block', slot) as Root
const shown = (root: string, near: number): number => {
  for (let slot = near; slot > near - 4 * POOLS; slot--) if (block(slot) === root) return slot
  return near
}

/** A beacon node that keeps nothing: all it says follows from the slot. */
function beaconOf(scheduler: Scheduler): BeaconNode {
  const now = (): number => Math.floor(scheduler.now / SLOT_MS)
  const answers: Partial<BeaconNode> = {
    spec,
    signingRoots: {
      attestation: ({ slot }) => sha('attestation', slot) as Root,
      attestationRoot: (_, data) => sha('attestation root', data) as Root,
      block: (slot) => sha('block', slot) as Root,
      randao: (epoch) => sha('randao', epoch) as Root,
      exit: (epoch) => sha('exit', epoch) as Root,
      deposit: () => sha('deposit') as Root,
    },
    attesterDuties: async (epoch, indices) => ({
      dependentRoot: sha('dependent', epoch) as Root,
      duties: indices.map((validatorIndex) => ({
        publicKey: wide(48, 'group', validatorIndex) as PublicKey,
        validatorIndex,
        slot: (epoch * POOLS + validatorIndex) as Slot,
        ...{ committeeIndex: 0, committeeLength: 128, committeesAtSlot: 1, validatorCommitteeIndex: validatorIndex },
      })),
    }),
    proposerDuties: async (epoch) => ({ dependentRoot: sha('dependent', epoch) as Root, duties: [] }),
    prepareProposers: async () => {},
    attestationData: async (slot) => {
      const epoch = Math.floor(slot / POOLS) as Epoch
      const source = (epoch - 1) as Epoch
      const target = { epoch, root: block(epoch * POOLS) }
      return { slot, beaconBlockRoot: block(slot), source: { epoch: source, root: block(source * POOLS) }, target }
    },
    publishAttestation: async () => {},
    header: async (root) => {
      const slot = shown(root, now()) as Slot
      const roots = { parentRoot: block(slot - 1), stateRoot: sha('state', slot) as Root, bodyRoot: sha('body', slot) as Root }
      return { root: block(slot), slot, proposerIndex: 0 as ValidatorIndex, ...roots }
    },
    includedAttesters: async (root) => {
      const slot = (shown(root, now()) - 1) as Slot
      return [{ slot, committeeIndex: 0, positions: [slot % POOLS], root: sha('attestation', slot) as Root }]
    },
    follow({ onHead }, signal) {
      const next = (): void => {
        if (signal.aborted) return
        const slot = now() as Slot
        const dependent = (epoch: number): Root => sha('dependent', epoch) as Root
        const epoch = Math.floor(slot / POOLS)
        onHead({
          slot,
          block: block(slot),
          state: sha('state', slot) as Root,
          epochTransition: slot % POOLS === 0,
          previousDutyDependentRoot: dependent(epoch),
          currentDutyDependentRoot: dependent(epoch + 1),
        })
        scheduler.at((slot + 1) * SLOT_MS + 300, next)
      }
      scheduler.at((now() + 1) * SLOT_MS + 300, next)
    },
  }
  return answers as BeaconNode
}

/** Signatures that anyone could make, of the right size: no key, no record, nothing kept. */
const operatorOf = (member: number): Address => wide(20, 'operator', member) as Address
const said = (address: string, digest: string): EcdsaSignature => wide(65, address, digest) as EcdsaSignature
const signed = (group: string, root: string): BlsSignature => wide(96, group, root) as BlsSignature

function startMember(at: number, { scheduler, network, signal }: { scheduler: Scheduler; network: SimNetwork; signal: AbortSignal }) {
  const members = Array.from({ length: SIZE }, (_, i) => (i + 1) as ProducerId)
  const self = members[at] ?? (1 as ProducerId)
  const pools: readonly DutyPool[] = Array.from({ length: POOLS }, (_, i) => {
    const groupKey = wide(48, 'group', i) as PublicKey
    return {
      poolId: (i + 1) as DutyPool['poolId'],
      round: 0,
      members,
      operators: members.map(operatorOf),
      signingKeys: members.map(signingKeyOf),
      self: (at + 1) as MemberIndex,
      quorum: 3,
      groupKey,
      publicShares: members.map(() => groupKey),
      validatorIndex: i as ValidatorIndex,
      feeRecipient: wide(20, 'fees') as DutyPool['feeRecipient'],
    }
  })
  const sign = ({ poolId, signingRoot }: { readonly poolId: number; readonly signingRoot: Root }) =>
    signed(wide(48, 'group', poolId - 1), signingRoot)
  let done = 0
  new DutyService({
    clock: new ProcessClock(scheduler),
    stopwatch: () => scheduler.now,
    beacon: beaconOf(scheduler),
    network: network.port(self, () => true),
    signer: {
      pools: () => [],
      checkAttestation: nothing,
      checkBlock: nothing,
      signAttestation: sign,
      signBlock: sign,
      signRoot: sign,
    } as never,
    operatorKey: {
      address: operatorOf(self),
      signOnce: (_, digest) => said(operatorOf(self), digest),
      together: (work) => work(),
      announce: () => {},
      recall: () => [],
    },
    verifyEcdsa: ({ address, digest, signature }) => said(address, digest) === signature,
    scheme: { combine: ([first]) => first?.signature ?? signed('', ''), verify: (key, root, signature) => signed(key, root) === signature },
    certificateSigner: {
      certify:
        ({ signingRoot }) =>
        () =>
          signed(signingKeyOf(self), signingRoot),
    },
    aggregation: { verify: () => true, verifyAll: () => true, aggregate: ([first]) => first ?? signed('', '') },
    certificates: { participation: () => 0n, add: nothing },
    pools: { at: () => pools },
    exits: { due: () => [] },
    log: silent,
    metrics: {
      ...{ due: nothing, stage: nothing, latency: nothing, decided: nothing, missed: nothing },
      ...{ included: nothing, notIncluded: nothing, messageDropped: nothing },
      completed: () => {
        done++
      },
    },
    settings: { domainSeparator: sha('domain') as Root, certificateDomain: CERTIFICATE_DOMAIN, firstRoundMs: 2_000 },
  }).start(signal)
  return () => done
}

async function main(): Promise<void> {
  const { signal } = new AbortController()
  const random = new Random(1)
  const start = POOLS * SLOT_MS
  const scheduler = new Scheduler(start)
  const weather = { drop: 0.02, dropCommits: 0, duplicate: 0.02, maxDelayMs: 400, partitions: 0 }
  const network = new SimNetwork({ scheduler, random, weather, start, healAt: Number.MAX_SAFE_INTEGER, size: SIZE })
  const counts = Array.from({ length: SIZE }, (_, at) => startMember(at, { scheduler, network, signal }))
  const samples: SoakSample[] = []
  for (let sample = 1; sample <= SAMPLES; sample++) {
    const until = Math.round((slots / SAMPLES) * sample)
    await scheduler.run(start + until * SLOT_MS, () => false)
    samples.push({ slots: until, heapMb: inUse() / 2 ** 20, duties: Math.min(...counts.map((count) => count())) })
  }
  console.log(JSON.stringify(samples))
}

await main()
