import type { Epoch, ProducerId, Root } from '../../../../operator/core/ids.ts'
import { BeaconError, type BeaconNode, type ChainSpec } from '../../../../operator/core/ports/beacon.ts'
import { ChainError, type ChainFollower, type ChainView, type Contracts } from '../../../../operator/core/ports/chain.ts'
import type { Log } from '../../../../operator/core/ports/log.ts'
import { CHANNELS, type Channel, type Network } from '../../../../operator/core/ports/network.ts'
import type { BeaconProver } from '../../../../operator/core/ports/prover.ts'
import type { JobOutcome, JobQueue } from '../../../../operator/core/ports/queue.ts'
import type { Store } from '../../../../operator/core/ports/store.ts'
import { startKeeper } from '../../../../operator/keeper/keeper.ts'
import type { DutyCertificate } from '../../../../operator/protocol/messages/certificate.ts'
import { decodeCertificateFrame, encodeCertificateFrame } from '../../../../operator/protocol/messages/certificate-channel.ts'
import { certificateLeaf, certificatesRoot, decodeCertificateSet } from '../../../../operator/protocol/messages/certificate-set.ts'
import { decodeReportSignature, encodeReportSignature } from '../../../../operator/protocol/messages/report.ts'
import { emptyState } from '../../../../operator/protocol/state/network-state.ts'
import { CertificateExchange } from '../../../../operator/reports/certificates/exchange.ts'
import { startReports } from '../../../../operator/reports/pipeline.ts'
import { sha } from '../crypto.ts'
import type { Random } from '../random.ts'
import { ProcessClock, type Scheduler } from '../scheduler.ts'
import { ADDRESSES, type Block, balanceAt, CHAIN_ID, type UpkeepChain } from './chain.ts'
import { attesterDuties, CERTIFICATE_DOMAIN, includedAttesters, proposerDuties, signingRoots } from './duties.ts'
import type { Keys } from './keys.ts'
import { type Fault, PARAMETERS, type Plan, SLOT_MS, SLOTS_PER_EPOCH } from './plan.ts'

/** Beacon nodes forget states older than this. */
const STATES_KEPT = 6 * SLOTS_PER_EPOCH
const GWEI_FULL = 32_000_000_000n

export type World = {
  readonly plan: Plan
  readonly scheduler: Scheduler
  readonly random: Random
  readonly chain: UpkeepChain
  readonly keys: Keys
  readonly post: (from: ProducerId, to: ProducerId, channel: Channel, bytes: Uint8Array) => void
  readonly mailboxes: Map<string, (from: ProducerId, bytes: Uint8Array) => void>
  /** Of those alive. */
  readonly exchanges: Map<ProducerId, CertificateExchange>
  readonly mempool: (transaction: Sent) => void
  /** An honest member's signature has left, over a report after `history` commitments made and dropped. */
  readonly onSigned: (by: ProducerId, report: { readonly epoch: Epoch; readonly history: number; readonly digest: Root }) => void
  readonly onTrouble: (by: ProducerId, what: string) => void
}

export type Sent = {
  readonly by: ProducerId
  readonly call: Parameters<Contracts['send']>[0]
  readonly settle: (outcome: Awaited<ReturnType<Contracts['send']>>) => void
}

type StoredJob = {
  readonly queue: string
  readonly id: string
  readonly data: Readonly<Record<string, string | number>>
  done: boolean
  attempt: number
}

/** What outlives a process. */
export type Disk = {
  readonly values: Map<string, string>
  readonly bytes: Map<string, Uint8Array>
  readonly jobs: Map<string, StoredJob>
}
export const newDisk = (): Disk => ({ values: new Map(), bytes: new Map(), jobs: new Map() })

/** A member's own view of both chains: blocks come late, and siblings come first at times. It survives the process. */
export class NodeView {
  head: Block
  chain: ChainView = { head: emptyState(), finalized: emptyState(), headBlock: 0, finalizedBlock: 0, finalizedTimestamp: 0 }
  readonly heads = new Set<(block: Block) => void>()
  readonly finals = new Set<(epoch: Epoch, root: Root) => void>()
  readonly changes = new Set<Parameters<ChainFollower['onChange']>[0]>()
  readonly siblings = new Map<Root, Block>()

  constructor(first: Block) {
    this.head = first
  }
}

/** Starts the shipped report pipeline and keeper on simulated ports. Returns what kills them. */
export function startNode(
  world: World,
  options: { readonly self: ProducerId; readonly view: NodeView; readonly disk: Disk; readonly fault: Fault | undefined },
): () => void {
  const { scheduler } = world
  const { self, fault } = options
  const random = world.random.fork()
  const clock = new ProcessClock(scheduler)
  const controller = new AbortController()
  const life: Life = { random, isAlive: () => !controller.signal.aborted, signal: controller.signal }
  const beacon = beaconOf(world, options.view, life)
  const ports = {
    self,
    clock,
    beacon,
    chain: followerOf(options.view, life),
    contracts: contractsOf(world, { self, fault }, life),
    network: networkOf(world, { ...options }, life),
    queue: queueOf(world, options.disk, life),
    log: logOf(world, self, life),
  }
  const store = storeOf(options.disk)
  const certificates = new CertificateExchange({
    ...ports,
    store,
    domainSeparator: CERTIFICATE_DOMAIN,
    time: beacon.spec,
    slotsKept: 5 * PARAMETERS.reportEpochs * SLOTS_PER_EPOCH,
  })
  certificates.start(controller.signal)
  world.exchanges.set(self, certificates)
  startReports(
    { ...ports, store, certificates, signingKey: world.keys.of(self), aggregation: world.keys.aggregation, poolsPerPage: 2 },
    controller.signal,
  )
  startKeeper({ ...ports, maxExitFee: 0n, prover: proverOf(options.view, life, world) }, controller.signal)
  return () => {
    clock.stop()
    controller.abort(new Error('killed'))
    world.exchanges.delete(self)
    for (const channel of CHANNELS) world.mailboxes.delete(`${self}/${channel}`)
  }
}

type Life = { readonly random: Random; readonly isAlive: () => boolean; readonly signal: AbortSignal }

/** Answers after a while, or fails in the storm; never to the dead. */
function later<T>({ scheduler, plan }: World, { random, isAlive }: Life, failure: () => Error, make: () => T): Promise<T> {
  const stormy = scheduler.now < plan.healAt
  const fails = stormy && random.chance(plan.storm.failure)
  return new Promise((resolve, reject) => {
    scheduler.at(scheduler.now + random.int(5, stormy ? 2_000 : 100), () => {
      if (!isAlive()) return
      if (fails) return reject(failure())
      try {
        resolve(make())
      } catch (error) {
        reject(error as Error)
      }
    })
  })
}

function beaconOf(world: World, view: NodeView, life: Life): BeaconNode {
  const { chain, scheduler } = world
  const answer = <T>(make: () => T): Promise<T> =>
    later(world, life, () => new BeaconError('UNREACHABLE', 'expected an answer, got none'), make)
  const find = (id: string): Block | undefined => {
    if (id === 'head') return view.head
    if (id === 'finalized') return finalizedOf(chain, view.head)
    return view.siblings.get(id as Root) ?? chain.blocks.find(({ root, slot }) => root === id && slot <= view.head.slot)
  }
  /** Beacon nodes know the duties of the epochs next to their head's. */
  const recent = (epoch: Epoch): Epoch => {
    const now = Math.floor(scheduler.now / (SLOT_MS * SLOTS_PER_EPOCH))
    if (Math.abs(epoch - now) > 1) throw new BeaconError('NOT_FOUND', `duties of epoch ${epoch} are not known in epoch ${now}`)
    return epoch
  }
  const spec = { slotDurationMs: SLOT_MS, slotsPerEpoch: SLOTS_PER_EPOCH, genesisTimeMs: 0 } as ChainSpec
  const parts: Partial<BeaconNode> = {
    spec,
    signingRoots,
    attesterDuties: (epoch, indices) => answer(() => attesterDuties(recent(epoch), indices)),
    proposerDuties: (epoch) => answer(() => proposerDuties(recent(epoch))),
    includedAttesters: (id) =>
      answer(() => {
        const block = find(id)
        return block === undefined ? [] : includedAttesters(chain, block)
      }),
    header: (id) => answer(() => find(id)),
    executionPayload: (id) =>
      answer(() => {
        const block = find(id)
        return block && { number: block.number, hash: sha('execution', block.root) as Root, timestamp: (block.slot * SLOT_MS) / 1_000 }
      }),
    validators: (keys, stateId) =>
      answer(() => {
        const block = [...chain.blocks, ...view.siblings.values()].find(({ stateRoot }) => stateRoot === stateId)
        if (block === undefined || block.slot < view.head.slot - STATES_KEPT)
          throw new BeaconError('NOT_FOUND', 'the state has been forgotten')
        const odd = view.siblings.has(block.root) ? 1n : 0n
        const epochs = { activationEpoch: 0, exitEpoch: Infinity, withdrawableEpoch: Infinity }
        return keys.map(
          (publicKey, index) =>
            ({
              ...epochs,
              index,
              publicKey,
              slashed: false,
              status: 'active_ongoing',
              balance: GWEI_FULL + BigInt(block.slot) + odd,
            }) as never,
        )
      }),
    follow({ onHead, onFinalized }, signal) {
      const head = (block: Block): void => {
        if (life.isAlive()) onHead({ slot: block.slot, block: block.root, state: block.stateRoot } as Parameters<typeof onHead>[0])
      }
      const final = (epoch: Epoch, block: Root): void => {
        if (life.isAlive()) onFinalized({ epoch, block })
      }
      view.heads.add(head)
      view.finals.add(final)
      signal.addEventListener('abort', () => {
        view.heads.delete(head)
        view.finals.delete(final)
      })
    },
  }
  return parts as BeaconNode
}

/** Two epochs behind, as on a chain on which all vote. */
export function finalizedOf(chain: UpkeepChain, head: Block): Block {
  return chain.atOrBefore(Math.max(0, Math.floor(head.slot / SLOTS_PER_EPOCH) - 2) * SLOTS_PER_EPOCH)
}

function followerOf(view: NodeView, { isAlive, signal }: Life): ChainFollower {
  return {
    view: () => view.chain,
    onChange(listener) {
      const guarded: typeof listener = (change) => {
        if (isAlive()) listener(change)
      }
      view.changes.add(guarded)
      signal.addEventListener('abort', () => view.changes.delete(guarded))
      return () => view.changes.delete(guarded)
    },
  }
}

function contractsOf(
  world: World,
  { self, fault }: { readonly self: ProducerId; readonly fault: Fault | undefined },
  life: Life,
): Contracts {
  const { chain, scheduler } = world
  const answer = <T>(make: () => T): Promise<T> =>
    later(world, life, () => new ChainError('UNREACHABLE', 'expected an answer, got none'), make)
  return {
    chainId: CHAIN_ID,
    addresses: ADDRESSES,
    parameters: PARAMETERS,
    read: () => answer(() => 0n),
    balance: (_, block) => answer(() => balanceAt(typeof block === 'object' ? block.number : Number(block)) + (fault === 'liar' ? 1n : 0n)),
    simulate: (call) => answer(() => chain.judge(call, scheduler.now, false)),
    async send(call) {
      const refused = await answer(() => chain.judge(call, scheduler.now, false))
      if (refused !== undefined) return { status: 'refused', error: refused, args: {} }
      return new Promise((resolve) => {
        world.mempool({ by: self, call, settle: (outcome) => life.isAlive() && resolve(outcome) })
      })
    },
  }
}

function networkOf(
  world: World,
  {
    self,
    fault,
    view,
    disk,
  }: { readonly self: ProducerId; readonly fault: Fault | undefined; readonly view: NodeView; readonly disk: Disk },
  life: Life,
): Network {
  return {
    self,
    send(to, channel, bytes) {
      if (!life.isAlive()) return
      if (channel === 'certificate') return world.post(self, to, channel, fault === 'liar' ? forged(world, { self, disk }, bytes) : bytes)
      const message = decodeReportSignature(bytes)
      if (fault === undefined) world.onSigned(self, { ...message, history: view.chain.head.history })
      if (fault !== 'babbler') return world.post(self, to, channel, bytes)
      const digest = sha('babble', life.random.int(0, 1_000)) as Root
      world.post(self, to, channel, encodeReportSignature({ ...message, digest, signature: world.keys.of(self).sign(digest) }))
      world.post(self, to, channel, bytes.subarray(0, life.random.int(0, bytes.length)))
      if (life.random.chance(0.5))
        world.post(self, to, channel, encodeReportSignature({ ...message, signature: world.keys.of(self).sign(digest) }))
    },
    onMessage(channel, handler) {
      world.mailboxes.set(`${self}/${channel}`, (from, bytes) => {
        if (life.isAlive()) handler(from, bytes)
      })
      return () => {}
    },
  }
}

/** A liar proposes its set with a bit that nobody signed for. */
function forged({ exchanges }: World, { self, disk }: { readonly self: ProducerId; readonly disk: Disk }, bytes: Uint8Array): Uint8Array {
  const frame = decodeCertificateFrame(bytes)
  const exchange = exchanges.get(self)
  const [first, ...rest] = frame.kind === 'proposal' ? setOnDisk(disk, frame.hash) : []
  if (frame.kind !== 'proposal' || exchange === undefined || first === undefined) return bytes
  const lie = { ...first, participation: first.participation ^ 8n }
  if (lie.participation === 0n) return bytes
  const forgery = [lie, ...rest]
  void exchange.sets.add(forgery)
  return encodeCertificateFrame({ ...frame, hash: certificatesRoot(forgery.map(certificateLeaf)) })
}

/** A set that a member keeps; none of a simulation is longer than a piece. */
export function setOnDisk(disk: Disk, hash: Root): readonly DutyCertificate[] {
  const bytes = disk.bytes.get(`certificate-set-piece\0${hash}/0`)
  return bytes === undefined ? [] : decodeCertificateSet(bytes)
}

function proverOf(view: NodeView, life: Life, world: World): BeaconProver {
  return {
    randaoMix: (epoch) =>
      later(
        world,
        life,
        () => new BeaconError('UNREACHABLE', 'expected an answer, got none'),
        () => (Math.floor(view.head.slot / SLOTS_PER_EPOCH) > epoch ? ({ timestamp: 0, state: {}, proof: {} } as never) : undefined),
      ),
    validator: async () => undefined,
  }
}

function storeOf({ values, bytes }: Disk): Store {
  const key = (space: string, name: string): string => `${space}\0${name}`
  return {
    get: (space, name) => values.get(key(space, name)),
    put: (space, name, value) => void values.set(key(space, name), value),
    delete(space, name) {
      values.delete(key(space, name))
      bytes.delete(key(space, name))
    },
    list: (space, { from = '', limit = 10_000 } = {}) =>
      [...values]
        .filter(([name]) => name.startsWith(`${space}\0`) && name >= key(space, from))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit)
        .map(([name, value]) => [name.slice(space.length + 1), value] as const),
    getBytes: (space, name) => bytes.get(key(space, name)),
    putBytes: (space, name, value) => void bytes.set(key(space, name), value),
    transaction: (change) => change(),
  }
}

function queueOf({ scheduler }: World, { jobs }: Disk, { isAlive, signal }: Life): JobQueue {
  const handlers = new Map<string, Parameters<JobQueue['process']>[2]>()
  const run = (job: StoredJob, at: number): void => {
    scheduler.at(at, () => {
      const handle = handlers.get(job.queue)
      if (!isAlive() || job.done || handle === undefined) return
      job.attempt++
      handle({ id: job.id, data: job.data, attempt: job.attempt }, signal).then(
        (outcome: JobOutcome) => {
          if (!isAlive()) return
          if (outcome.done) job.done = true
          else run(job, scheduler.now + outcome.retryInMs)
        },
        () => run(job, scheduler.now + 1_000 * 2 ** Math.min(job.attempt, 6)),
      )
    })
  }
  return {
    add: async (queue, id, data) => {
      if (jobs.has(id)) return
      const job = { queue, id, data, done: false, attempt: 0 }
      jobs.set(id, job)
      run(job, scheduler.now)
    },
    process(queue, _, handler) {
      handlers.set(queue, handler)
      for (const job of jobs.values()) if (job.queue === queue && !job.done) run(job, scheduler.now)
    },
    close: async () => {},
  }
}

function logOf({ onTrouble }: World, self: ProducerId, { isAlive }: Life): Log {
  const quiet = (): void => {}
  const note = (message: string, data?: object): void => {
    if (isAlive()) onTrouble(self, `${message} ${JSON.stringify(data)}`)
  }
  const log: Log = { debug: quiet, info: quiet, warn: quiet, error: note, child: () => log }
  return log
}
