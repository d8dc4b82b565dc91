import type { MemberIndex, PoolId, ProducerId, Root } from '../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../operator/core/ports/beacon.ts'
import type { Log, LogData } from '../../../operator/core/ports/log.ts'
import type { Network } from '../../../operator/core/ports/network.ts'
import { DutyService } from '../../../operator/duties/service.ts'
import type { DutyPool } from '../../../operator/duties/types.ts'
import { encodeQbftFrame, openDutyFrame, readQbftBody } from '../../../operator/protocol/messages/duty.ts'
import { qbftDigest } from '../../../operator/protocol/messages/qbft.ts'
import { valueRoot } from '../../../operator/protocol/qbft/session.ts'
import { FEE_RECIPIENT, simBeacon } from './beacon.ts'
import type { SimChain, View } from './chain.ts'
import type { SimCrypto, SimPoolKeys } from './crypto.ts'
import { sha } from './crypto.ts'
import type { SimNetwork } from './network.ts'
import { CERTIFICATE_DOMAIN, type hashParticipation, signingKeyOf } from './participation.ts'
import type { Fault, Plan, PlannedPool } from './plan.ts'
import { FIRST_ROUND_MS } from './plan.ts'
import type { Random } from './random.ts'
import type { Referee } from './referee.ts'
import { epochOf } from './referee.ts'
import type { Scheduler } from './scheduler.ts'
import { ProcessClock } from './scheduler.ts'
import type { Disk } from './signer.ts'
import { gatedKey, protectedSigner, recklessSigner, ungatedKey } from './signer.ts'

/** What all processes of a run share. */
export type World = {
  readonly plan: Plan
  readonly scheduler: Scheduler
  readonly random: Random
  readonly network: SimNetwork
  readonly chain: SimChain
  readonly crypto: SimCrypto
  readonly participation: ReturnType<typeof hashParticipation>
  readonly keys: ReadonlyMap<PoolId, SimPoolKeys>
  readonly referee: Referee
  readonly quorum: number
  readonly trace: ((line: string) => void) | undefined
}

export type ProcessOptions = {
  readonly producer: ProducerId
  readonly view: View
  /** Records that outlive the process; faulty members keep none. */
  readonly disk: Disk
  readonly fault: Fault | undefined
  readonly reaches?: (to: ProducerId) => boolean
  /** Called when the process dies by itself, between a durable write and what follows. */
  readonly onCrash?: () => void
  readonly crashChance?: number
}

const DOMAIN_SEPARATOR = sha('domain') as Root

const SILENT_METRICS = {
  due() {},
  stage() {},
  latency() {},
  decided() {},
  completed() {},
  missed() {},
  included() {},
  notIncluded() {},
  messageDropped() {},
}

/** Starts the shipped duty service on simulated ports. Returns what kills it. */
export function startProcess(world: World, options: ProcessOptions): () => void {
  const { plan, scheduler, crypto, chain } = world
  const { producer, view, fault } = options
  const random = world.random.fork()
  const clock = new ProcessClock(scheduler)
  const controller = new AbortController()
  let alive = true
  const isAlive = (): boolean => alive
  const kill = (): void => {
    alive = false
    clock.stop()
    controller.abort()
  }
  const afterWrite = (): void => {
    if (!alive || scheduler.now >= plan.healAt || !random.chance(options.crashChance ?? 0)) return
    // Dead from here on: what the service still does in this instant reaches nobody.
    alive = false
    scheduler.at(scheduler.now, () => {
      kill()
      options.onCrash?.()
    })
  }
  const operator = crypto.operator(`producer ${producer}`)
  const shareOf = (poolId: PoolId) => shareOfPool(world, poolId, producer)
  const gated = fault === undefined || fault === 'blackout'
  const onSaid = (place: string, digest: Root): void => world.referee.said(producer, place, digest)
  const ports = {
    beacon: beaconOf(world, options, { isAlive, random }),
    network: networkOf(world, options, { isAlive, random }),
    operatorKey: gated ? gatedKey({ disk: options.disk, operator, afterWrite, onSaid }) : ungatedKey(operator),
    signer: gated
      ? protectedSigner({
          disk: options.disk,
          shareOf,
          afterWrite,
          onSigned: (signed) => world.referee.signed({ ...signed, by: producer }),
        })
      : recklessSigner(shareOf, (root) => (fault === 'garbler' && random.chance(0.5) ? (sha('twisted', root) as Root) : root)),
  }
  const pools = plan.pools.map((pool) => dutyPool(world, pool, options))
  const service = new DutyService({
    ...ports,
    clock,
    stopwatch: () => scheduler.now,
    verifyEcdsa: crypto.verifyEcdsa,
    scheme: crypto.scheme,
    certificateSigner: world.participation.signerOf(producer),
    aggregation: world.participation.aggregation,
    certificates: world.referee.certificatesOf(producer, world.participation.aggregation),
    pools: { at: () => pools },
    exits: {
      due: () =>
        plan.pools.flatMap(({ poolId, exitAt }) =>
          exitAt !== undefined && exitAt <= scheduler.now ? [{ poolId, epoch: epochOf(320) }] : [],
        ),
    },
    log: logOf(world, options),
    metrics: SILENT_METRICS,
    settings: { domainSeparator: DOMAIN_SEPARATOR, certificateDomain: CERTIFICATE_DOMAIN, firstRoundMs: FIRST_ROUND_MS },
  })
  service.start(controller.signal)
  chain.announce(view)
  return kill
}

function dutyPool({ crypto, keys, quorum }: World, pool: PlannedPool, { producer, fault }: ProcessOptions): DutyPool {
  const poolKeys = keys.get(pool.poolId)
  if (poolKeys === undefined) throw new Error(`no keys of pool ${pool.poolId}`)
  const { poolId, members, validatorIndex } = pool
  return {
    poolId,
    round: 0,
    members,
    signingKeys: members.map(signingKeyOf),
    validatorIndex,
    operators: members.map((member) => crypto.operator(`producer ${member}`).address),
    self: (members.indexOf(producer) + 1) as MemberIndex,
    quorum,
    groupKey: poolKeys.groupKey,
    publicShares: poolKeys.publicShares,
    feeRecipient: feeRecipientOf(fault),
  }
}

function feeRecipientOf(fault: Fault | undefined): DutyPool['feeRecipient'] {
  return (fault === 'cheat' ? `0x${'bad0'.repeat(10)}` : FEE_RECIPIENT) as DutyPool['feeRecipient']
}

function shareOfPool(
  { plan, keys }: World,
  poolId: PoolId,
  producer: ProducerId,
): { readonly keys: SimPoolKeys; readonly member: MemberIndex } {
  const poolKeys = keys.get(poolId)
  const pool = plan.pools.find((one) => one.poolId === poolId)
  if (poolKeys === undefined || pool === undefined) throw new Error(`no pool ${poolId}`)
  return { keys: poolKeys, member: (pool.members.indexOf(producer) + 1) as MemberIndex }
}

type Life = { readonly isAlive: () => boolean; readonly random: Random }

function beaconOf(world: World, { view, fault, producer }: ProcessOptions, { isAlive, random }: Life): BeaconNode {
  const { plan, scheduler, chain, crypto, keys, referee } = world
  const isReveal = (validator: number, root: Root, signature: string): boolean => {
    const pool = plan.pools.find(({ validatorIndex }) => validatorIndex === validator)
    const groupKey = pool && keys.get(pool.poolId)?.groupKey
    return groupKey !== undefined && crypto.scheme.verify(groupKey, root, signature as Parameters<typeof crypto.scheme.verify>[2])
  }
  const beacon = simBeacon({ plan, scheduler, random, chain, view, isAlive, isReveal, feeRecipient: feeRecipientOf(fault) })
  if (fault === 'cheat') {
    return {
      ...beacon,
      attestationData: async (slot, committee) => {
        const data = await beacon.attestationData(slot, committee)
        return { ...data, source: { ...data.source, root: sha('cheat', slot) as Root } }
      },
    }
  }
  if (fault !== undefined) return beacon
  return {
    ...beacon,
    publishAttestation(attestation, signal) {
      const { data, duty } = attestation
      const planned = plan.pools.find(({ validatorIndex }) => validatorIndex === duty.validatorIndex)?.attestations ?? []
      const fits = planned.some(({ slot, movedTo }) => data.slot === slot || data.slot === movedTo)
      const sane = data.target.epoch === epochOf(data.slot) && data.source.root === sha('checkpoint', data.source.epoch)
      if (!fits || !sane || !chain.existed(data.beaconBlockRoot))
        referee.violated('validity', `member ${producer} attests ${JSON.stringify(data)}`)
      return beacon.publishAttestation(attestation, signal)
    },
    publishBlock(block, signature, signal) {
      const pool = plan.pools.find(({ validatorIndex }) => validatorIndex === block.proposerIndex)
      const fits = pool?.proposals.includes(block.slot) === true && block.feeRecipient === FEE_RECIPIENT && chain.existed(block.parentRoot)
      if (!fits) referee.violated('validity', `member ${producer} proposes ${JSON.stringify({ ...block, ssz: undefined })}`)
      return beacon.publishBlock(block, signature, signal)
    },
  }
}

function networkOf(world: World, options: ProcessOptions, life: Life): Network {
  const port = world.network.port(options.producer, life.isAlive, options.reaches)
  if (options.fault === 'garbler') return garbling(port, life.random)
  if (options.fault === 'usurper') return usurping(port, world.crypto.operator(`producer ${options.producer}`))
  return port
}

function garbling(port: Network, random: Random): Network {
  const sent: Uint8Array[] = []
  return {
    ...port,
    send(to, channel, bytes) {
      sent.push(bytes)
      const frame = random.chance(0.2) ? random.pick(sent) : bytes
      port.send(to, channel, random.chance(0.3) ? mutated(frame, random) : frame)
    },
  }
}

/** Puts its first value in the place of a prepared one, properly signed and with the true justification. */
function usurping(port: Network, operator: ReturnType<SimCrypto['operator']>): Network {
  const own = new Map<string, Uint8Array>()
  return {
    ...port,
    send(to, channel, bytes) {
      port.send(to, channel, usurped(bytes) ?? bytes)
    },
  }

  function usurped(bytes: Uint8Array): Uint8Array | undefined {
    const { kind, instance, body } = openDutyFrame(bytes)
    if (kind !== 'qbft') return undefined
    const message = readQbftBody(body, { size: 7, maxValueBytes: 10_000 })
    if (message.kind !== 'statement' || message.value === undefined) return undefined
    const name = JSON.stringify(instance)
    const value = own.get(name) ?? message.value
    own.set(name, value)
    if (message.signed.type !== 'pre-prepare') return undefined
    const statement = { ...message.signed, value: valueRoot(value) }
    const signature = operator.sign(qbftDigest(DOMAIN_SEPARATOR, instance, statement))
    return encodeQbftFrame(instance, { ...message, signed: { ...statement, signature }, value })
  }
}

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const changed = Uint8Array.from(bytes)
  for (let i = random.int(1, 4); i > 0; i--) changed[random.int(0, changed.length - 1)] = random.int(0, 255)
  return random.chance(0.2) ? changed.subarray(0, random.int(0, changed.length)) : changed
}

/** Listens to what honest members say about duties and about each other. */
function logOf({ referee, plan, scheduler, trace }: World, { producer, fault }: ProcessOptions): Log {
  function note(level: string, message: string, data: LogData = {}): void {
    trace?.(`${scheduler.now - plan.start} member ${producer}${fault ? ` (${fault})` : ''} ${level} ${message} ${JSON.stringify(data)}`)
    if (fault !== undefined) return
    if (message === 'duty done') referee.completed(producer, String(data.duty))
    if (data.reason === 'INTERNAL') referee.violated('crash', `member ${producer}: ${String(data.detail)}`)
    if (typeof data.member !== 'number' || typeof data.duty !== 'string') return
    const accused = plan.pools.find(({ poolId }) => poolId === Number(String(data.duty).split('/')[0]))?.members[data.member - 1]
    if (accused !== undefined && referee.isHonest(accused)) {
      referee.violated('accusation', `member ${producer} accuses honest ${accused}: ${message} ${JSON.stringify(data)}`)
    }
  }
  const log: Log = {
    debug: (message, data) => note('debug', message, data),
    info: (message, data) => note('info', message, data),
    warn: (message, data) => note('warn', message, data),
    error: (message, data) => note('error', message, data),
    child: () => log,
  }
  return log
}
