import { INTERFACES } from '../../../../operator/adapters/chain/interfaces.ts'
import type { ProducerId } from '../../../../operator/core/ids.ts'
import { bytesToHex, toPublicKey } from '../../../../operator/core/parse.ts'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import { disputeCall } from '../../../../operator/keeper/disputes.ts'
import { verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../operator/protocol/bls/threshold.ts'
import { addressOf } from '../../../../operator/protocol/messages/ecdsa.ts'
import { signRootWith } from '../../../../operator/signer/signing-key.ts'
import { POOL } from '../../unit/ceremonies/support/chain.ts'
import { sha } from '../crypto.ts'
import { SimNetwork } from '../network.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'
import { EPOCH_MS, HandoverChain, MARGIN, SLOT_MS, START } from './chain.ts'
import { firstShares } from './crypto.ts'
import { roundOf, shareName } from './disk.ts'

import { FAULTS, type Fault, tamperOf } from './faults.ts'
import { Node, operatorKeyOf, signingSecretOf } from './node.ts'
import { HandoverReferee } from './referee.ts'

const SIZE = 4
const THRESHOLD = thresholdOf(SIZE)

/** What a schedule is made of, drawn from its seed. */
export type HandoverPlan = {
  readonly producers: number
  readonly epochs: number
  /** The vaults drawn, one after the other; a round that fails is drawn anew with the next. */
  readonly vaults: readonly (readonly ProducerId[])[]
  readonly faults: ReadonlyMap<ProducerId, Fault>
  readonly isStormy: boolean
  readonly crashes: number
  readonly reorgs: number
  readonly late: { readonly from: number; readonly to: number; readonly by: number }
  /** Chance that the old vault's execution clients get stuck the moment before a handover is completed. */
  readonly stuck: number
  /** The rotation margin that members go by; another than the chain's shows that the referee notices. */
  readonly margin: number
}

export function drawHandoverPlan(random: Random, change: Partial<HandoverPlan> = {}): HandoverPlan {
  const producers = change.producers ?? 8
  const ids = Array.from({ length: producers }, (_, at) => (at + 1) as ProducerId)
  const faults = new Map(
    random
      .shuffle(ids)
      .slice(0, random.int(0, 2))
      .map((id) => [id, random.pick(FAULTS)] as const),
  )
  const first = ids.slice(0, SIZE)
  const isTolerable = (vault: readonly ProducerId[]): boolean => vault.filter((id) => faults.has(id)).length <= 1
  if (!isTolerable(first)) for (const id of first.filter((one) => faults.has(one)).slice(1)) faults.delete(id)
  const vaults = [first]
  while (vaults.length < 6) {
    const vault = random.shuffle(ids).slice(0, SIZE)
    if (isTolerable(vault)) vaults.push(vault)
  }
  const from = random.int(4, 20)
  return {
    producers,
    epochs: 44,
    vaults,
    faults,
    isStormy: random.chance(0.3),
    crashes: random.chance(0.6) ? random.pick([0.01, 0.03, 0.08]) : 0,
    reorgs: random.chance(0.5) ? 0.5 : 0,
    late: random.chance(0.4) ? { from, to: from + random.int(2, 12), by: random.int(2, 9) } : { from: 0, to: 0, by: 0 },
    stuck: random.chance(0.3) ? 0.6 : 0,
    margin: MARGIN,
    ...change,
  }
}

export type HandoverOutcome = {
  readonly violations: readonly string[]
  /** Handovers completed and final, failed, taken back; processes that died within a write. */
  readonly completed: number
  readonly failed: number
  readonly reorganized: number
  readonly crashes: number
  readonly warnings: readonly string[]
  /** Evidence against whom, as the dispute's call: method and dealer. */
  readonly disputed: readonly string[]
}

/** Handovers of one key, wholly scheduled by the seed. Returns the rules that were broken. */
export async function runHandovers({
  seed,
  change = {},
}: {
  readonly seed: number
  readonly change?: Partial<HandoverPlan>
}): Promise<HandoverOutcome> {
  const random = new Random(seed)
  const plan = drawHandoverPlan(random.fork(), change)
  const scheduler = new Scheduler(START)
  const ids = Array.from({ length: plan.producers }, (_, at) => (at + 1) as ProducerId)
  const weather = plan.isStormy
    ? { drop: 0.2, dropCommits: 0, duplicate: 0.2, maxDelayMs: 2_000, partitions: 2 }
    : { drop: 0, dropCommits: 0, duplicate: 0.1, maxDelayMs: 50, partitions: 0 }
  const end = START + plan.epochs * EPOCH_MS
  const network = new SimNetwork({ scheduler, random: random.fork(), weather, start: START, healAt: end, size: plan.producers })
  const parties = ids.map((id) => ({
    id,
    operator: addressOf(operatorKeyOf(seed, id)),
    signingKey: toPublicKey(bytesToHex(signingSecretOf(seed, id).toPublicKey().toBytes())),
  }))
  const chain = new HandoverChain({ scheduler, random: random.fork(), parties })
  const referee = new HandoverReferee(new Set(plan.faults.keys()))
  const world = { scheduler, network, chain, random }
  const shape = { size: SIZE, oldSize: SIZE, threshold: THRESHOLD }
  const nodes = ids.map((id) => {
    const fault = plan.faults.get(id)
    const disk: { current?: Node['disk'] } = {}
    const tamper: ConstructorParameters<typeof Node>[1]['tamper'] =
      fault && ((ports) => tamperOf(fault, { key: operatorKeyOf(seed, id), disk: disk.current as Node['disk'], shape })(ports))
    const node = new Node(world, { id, seed, margin: plan.margin, tamper })
    disk.current = node.disk
    return node
  })
  const [firstVault = []] = plan.vaults
  const shares = firstShares(seed, { size: SIZE, threshold: THRESHOLD })
  for (const [at, share] of shares.entries()) {
    const disk = nodes[(firstVault[at] ?? 0) - 1]?.disk
    disk?.shares.set(shareName(share), share)
    disk?.past.shares.set(shareName(share), share)
  }
  const groupKey = shares[0]?.info.groupKey ?? toPublicKey('0x')
  chain.found(firstVault, { groupKey, publicShares: shares[0]?.info.publicShares ?? [] })
  for (const node of nodes) {
    node.fragility = plan.faults.has(node.id) ? 0 : plan.crashes
    node.start()
  }

  let drawn = 0
  let calmSince = 0
  chain.onCompletion = (members) => {
    if (!random.chance(plan.stuck)) return
    const until = random.int(6, 12)
    calmSince = Math.max(calmSince, chain.epoch + until + 2)
    for (const id of ids) if (!members.includes(id)) chain.stuck.add(id)
    scheduler.at(scheduler.now + until * EPOCH_MS, () => chain.stuck.clear())
  }
  const perEpoch = (epoch: number): void => {
    const isLate = epoch >= plan.late.from && epoch < plan.late.to
    chain.lag = isLate ? plan.late.by : 0
    if (isLate) calmSince = epoch + plan.late.by + 3
    const last = chain.completions.at(-1)
    if (last !== undefined && last.at > START + (epoch - 1) * EPOCH_MS && random.chance(plan.reorgs)) {
      chain.reorganize(last.at)
      calmSince = Math.max(calmSince, epoch + 1)
    }
    chain.tick()
    const pool = chain.head.pools.get(POOL)
    if (pool !== undefined) referee.noteVaults(pool)
    const next = plan.vaults[drawn + 1]
    if (pool?.rotation === undefined && next !== undefined && epoch >= 3 && epoch < plan.epochs - 20) {
      drawn += 1
      chain.draw(next)
    }
    if (plan.crashes > 0 && random.chance(0.2)) {
      const victim = random.pick(nodes.filter(({ id }) => !plan.faults.has(id)))
      victim.kill()
      calmSince = Math.max(calmSince, epoch + 1)
      scheduler.at(scheduler.now + random.int(SLOT_MS, EPOCH_MS), () => victim.start())
    }
  }
  const ask = (epoch: number): void => {
    const pool = chain.head.pools.get(POOL)
    const finalized = chain.finalized.pools.get(POOL)
    referee.ask(nodes, epoch)
    referee.ask(nodes, epoch, Math.max(0, epoch - random.int(2, 4)))
    if (epoch > 0) referee.ask(nodes, epoch - 1)
    if (pool === undefined || finalized === undefined) return
    referee.noteVaults(pool)
    // When the head's vault of this epoch is final, finality close and everybody up, it signs.
    const isSettled = pool.vaults.every(({ from, round }) => from > epoch || finalized.vaults.some((term) => term.round === round))
    const isUp = nodes.every(({ id, shares: up }) => plan.faults.has(id) || up !== undefined)
    if (isSettled && isUp && epoch >= calmSince && plan.crashes === 0) {
      referee.expectSigned(
        pool,
        epoch,
        `finalized ${chain.finalizedEpoch}, ${nodes
          .flatMap(({ warnings }) => warnings)
          .slice(-4)
          .join(' | ')}`,
      )
    }
  }
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    scheduler.at(START + epoch * EPOCH_MS, () => perEpoch(epoch))
    scheduler.at(START + (epoch + 0.6) * EPOCH_MS, () => ask(epoch))
  }
  // The last epochs are calm, so that all comes to its end.
  scheduler.at(end - 8 * EPOCH_MS, () => {
    for (const node of nodes) {
      node.fragility = 0
      node.start()
    }
  })
  try {
    await scheduler.run(end, () => false)
  } catch (failure) {
    referee.violated('crash', failure instanceof Error ? (failure.stack ?? failure.message) : String(failure))
  }
  referee.conclude()
  // Where messages come in time and nobody is killed, an honest producer is heard.
  const isCalm = !plan.isStormy && plan.crashes === 0 && plan.stuck === 0
  for (const { members } of isCalm ? chain.named : []) {
    for (const id of members) if (!plan.faults.has(id)) referee.violated('naming', `honest producer ${id} is named absent`)
  }
  if (isCalm) judgeShares(referee, { nodes, chain, plan, groupKey })
  judgeDisks(referee, { nodes, chain, plan, groupKey })
  judgeTerms(referee, { nodes, chain, plan, groupKey })
  for (const { disputes } of nodes) {
    for (const dispute of disputes) {
      const { contract, method, args } = disputeCall(dispute)
      INTERFACES[contract].encodeFunctionData(method, args)
    }
  }
  for (const node of nodes) {
    node.kill()
    node.disk.close()
  }
  const completed = (chain.finalized.pools.get(POOL)?.vaults.length ?? 1) - 1
  const { failed, reorganized } = chain
  const crashes = nodes.reduce((sum, node) => sum + node.crashes, 0)
  const disputed = nodes.flatMap(({ disputes }) =>
    disputes.map((one) => `${disputeCall(one).method}/${one.oldMembers[one.dealing.dealer - one.members.length - 1]}`),
  )
  const warnings = nodes.flatMap((node) => node.warnings)
  return { violations: referee.violations, completed, failed, reorganized, crashes, warnings, disputed: [...new Set(disputed)] }
}

type Ended = {
  readonly nodes: readonly Node[]
  readonly chain: HandoverChain
  readonly plan: HandoverPlan
  readonly groupKey: ReturnType<typeof toPublicKey>
}

/** Where messages come in time, each honest member of a vault that took over has had its share: no liar is needed to sign. */
function judgeShares(referee: HandoverReferee, { nodes, chain, plan }: Ended): void {
  for (const { round, members } of chain.finalized.pools.get(POOL)?.vaults ?? []) {
    for (const id of members) {
      if (plan.faults.has(id) || nodes[id - 1]?.disk.past.shares.has(`${POOL}/${round}`)) continue
      referee.violated('share', `honest producer ${id} has none of round ${round}`)
    }
  }
}

/** In the end: the last vault's shares sign with the first key, and nothing of terms that are over is on any honest disk. */
function judgeDisks(referee: HandoverReferee, { nodes, chain, plan, groupKey }: Ended): void {
  const pool = chain.finalized.pools.get(POOL)
  const last = pool?.vaults.at(-1)
  if (pool === undefined || last === undefined) {
    referee.violated('end', 'the pool is gone')
    return
  }
  const message = sha('message') as Parameters<typeof verifySignature>[1]
  const partials = last.members.flatMap((id, at) => {
    const share = nodes[id - 1]?.disk.shares.get(`${POOL}/${last.round}`)
    return share === undefined ? [] : [{ index: at + 1, signature: signRootWith(share.secret, message) }]
  })
  const isSigned =
    partials.length >= THRESHOLD && verifySignature(groupKey, message, combinePartials(partials.slice(-THRESHOLD), THRESHOLD))
  if (!isSigned) referee.violated('key', `the vault of round ${last.round} does not sign with the first key: ${partials.length} shares`)
  const over = pool.vaults.filter((_, at) => (pool.vaults[at + 1]?.from ?? Infinity) <= chain.finalizedEpoch).map(({ round }) => round)
  for (const { id, disk } of nodes) {
    if (plan.faults.has(id)) continue
    for (const { info } of disk.shares.values()) {
      const isVoid = !pool.vaults.some(({ round }) => round === info.round) && (pool.endedRound ?? -1) >= info.round
      if (over.includes(info.round) || isVoid) referee.violated('erasure', `producer ${id} still has its share of round ${info.round}`)
    }
    for (const [name] of disk.states) {
      const round = roundOf(name)
      if ((pool.endedRound ?? -1) >= round)
        referee.violated('erasure', `producer ${id} still has its secrets of the handover of round ${round}`)
    }
  }
}

/**
 * Shares of one term alone sign with the first key, shares of two terms together do not; and what is on honest disks in the end opens
 * nothing of the terms that are over: it holds no share of them, and no secret of the handovers that ended them.
 */
function judgeTerms(referee: HandoverReferee, { nodes, chain, plan, groupKey }: Ended): void {
  const vaults = chain.finalized.pools.get(POOL)?.vaults ?? []
  const message = sha('message of all terms') as Parameters<typeof verifySignature>[1]
  const partialsOf = (round: number) =>
    nodes.flatMap(({ disk }) => {
      const share = disk.past.shares.get(`${POOL}/${round}`)
      return share === undefined ? [] : [{ index: share.info.memberIndex, signature: signRootWith(share.secret, message) }]
    })
  const signs = (partials: ReturnType<typeof partialsOf>): boolean =>
    partials.length >= THRESHOLD && verifySignature(groupKey, message, combinePartials(partials, THRESHOLD))
  const gone = new Set<string>()
  for (const [at, { round }] of vaults.entries()) {
    const next = vaults[at + 1]
    const own = partialsOf(round)
    if (!signs(own)) referee.violated('key', `shares of round ${round} alone do not sign with the first key`)
    if (next === undefined) continue
    for (const foreign of partialsOf(next.round)) {
      const mixed = [...own.filter(({ index }) => index !== foreign.index).slice(0, THRESHOLD - 1), foreign]
      if (signs(mixed)) referee.violated('mix', `shares of rounds ${round} and ${next.round} sign together`)
    }
    if (next.from > chain.finalizedEpoch) continue
    for (const { disk } of nodes) {
      const share = disk.past.shares.get(`${POOL}/${round}`)
      if (share !== undefined) gone.add(bytesToHex(share.secret.toBytes()))
      for (const secret of disk.past.secrets.get(next.round) ?? []) gone.add(secret)
    }
  }
  for (const { id, disk } of nodes.filter((node) => !plan.faults.has(node.id))) {
    const states = [...disk.states.values()].map((state) => Buffer.from(state).toString('utf8'))
    const left = [...states, ...[...disk.shares.values()].map(({ secret }) => bytesToHex(secret.toBytes()))].join()
    for (const secret of gone)
      if (left.includes(secret)) referee.violated('erasure', `producer ${id} keeps a secret of a term that is over`)
  }
}
