import type { Epoch, ProducerId, Root } from '../../../../operator/core/ids.ts'
import type { Commitment, Producer } from '../../../../operator/core/network.ts'
import { toAddress } from '../../../../operator/core/parse.ts'
import type { Report } from '../../../../operator/core/report.ts'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import type { DutyCertificate } from '../../../../operator/protocol/messages/certificate.ts'
import { verifyCertificate } from '../../../../operator/protocol/messages/certificate-merge.ts'
import { certificateLeaf, certificatesRoot } from '../../../../operator/protocol/messages/certificate-set.ts'
import { reportDigest } from '../../../../operator/protocol/messages/report.ts'
import { standingOf } from '../../../../operator/protocol/state/coverage.ts'
import { deriveReport } from '../../../../operator/protocol/state/derive-report.ts'
import { deriveDutyRecord } from '../../../../operator/protocol/state/duty-points.ts'
import { judgedEpochs } from '../../../../operator/protocol/state/summaries.ts'
import { resultOf } from '../../../support/steps.ts'
import { Random } from '../random.ts'
import { Scheduler } from '../scheduler.ts'
import { ADDRESSES, type Block, balanceAt, CHAIN_ID, epochAt, UpkeepChain, VAULT } from './chain.ts'
import { CERTIFICATE_DOMAIN, certificateOf, trueDuties } from './duties.ts'
import { type Keys, simKeys } from './keys.ts'
import { type Disk, finalizedOf, NodeView, newDisk, type Sent, setOnDisk, startNode, type World } from './node.ts'
import { drawPlan, EPOCH_MS, FIRST_DUTIES, PARAMETERS, type Plan, SLOT_MS, SLOTS_PER_EPOCH } from './plan.ts'

/** Turns of the keeper, and of leaders of a report. */
const TURN_SLOTS = 2
const FINALITY_EPOCHS = 3

export type UpkeepRun = { readonly violations: readonly string[]; readonly wasted: number; readonly calls: number }

/** One simulated stretch of upkeep and reports, wholly decided by its seed. */
export async function runUpkeep({
  seed,
  size,
  quorumBroken = false,
}: {
  readonly seed: number
  readonly size: number
  readonly quorumBroken?: boolean
}): Promise<UpkeepRun> {
  const random = new Random(seed)
  const drawn = drawPlan(random.fork(), size)
  const plan = quorumBroken ? withLiars(drawn) : drawn
  const scheduler = new Scheduler(plan.start)
  const keys = simKeys()
  const ids = Array.from({ length: size }, (_, at) => (at + 1) as ProducerId)
  const producers = ids.map((id): Producer => {
    const address = toAddress(`0x${id.toString(16).padStart(40, '0')}`)
    return {
      id,
      owner: address,
      operator: address,
      signingKey: keys.of(id).publicKey,
      peerAddress: '',
      slashed: false,
      standing: 'active',
      registeredAt: 1,
    }
  })
  const chain = new UpkeepChain({ random: random.fork(), end: plan.end + EPOCH_MS, producers, keys })
  const violations: string[] = []
  const signed = new Map<string, Set<Root>>()
  const pool: Sent[] = []
  const mailboxes: World['mailboxes'] = new Map()
  const isStormy = (): boolean => scheduler.now < plan.healAt
  const world: World = {
    plan,
    scheduler,
    random,
    chain,
    keys,
    mailboxes,
    exchanges: new Map(),
    mempool: (transaction) => pool.push(transaction),
    post(from, to, channel, bytes) {
      if (isStormy() && random.chance(plan.storm.drop)) return
      scheduler.at(scheduler.now + random.int(1, isStormy() ? plan.storm.lateMs : 50), () =>
        mailboxes.get(`${to}/${channel}`)?.(from, bytes),
      )
    },
    onSigned(by, { epoch, history, digest }) {
      const key = `${by}/${epoch}/${history}`
      // One for each leader's set.
      const digests = (signed.get(key) ?? new Set<Root>()).add(digest)
      if (digests.size > size) violations.push(`too many reports: member ${by} signed ${digests.size} for epoch ${epoch}`)
      signed.set(key, digests)
    },
    onTrouble: (by, what) => violations.push(`error: member ${by}: ${what}`),
  }

  const first = chain.atOrBefore(plan.start / SLOT_MS)
  const views = new Map(ids.map((id) => [id, new NodeView(first)]))
  for (const view of views.values())
    view.chain = { head: chain.state, finalized: chain.state, headBlock: first.number, finalizedBlock: first.number, finalizedTimestamp: 0 }
  for (const block of chain.blocks)
    if (block.slot * SLOT_MS > plan.start) scheduler.at(block.slot * SLOT_MS, () => makeBlock(world, { block, pool, views }))

  const disks = new Map<ProducerId, Disk>(ids.map((id) => [id, newDisk()]))
  const kills = new Map<ProducerId, () => void>()
  const start = (id: ProducerId): void => {
    const [view, disk, fault] = [views.get(id), disks.get(id), plan.faults.get(id)]
    if (view !== undefined && disk !== undefined && fault !== 'silent') kills.set(id, startNode(world, { self: id, view, disk, fault }))
  }
  for (const id of ids) start(id)
  for (const { producer, at, backAt } of plan.restarts) {
    scheduler.at(at, () => kills.get(producer)?.())
    scheduler.at(backAt, () => {
      kills.get(producer)?.()
      start(producer)
    })
  }
  const end = Math.floor(plan.end / EPOCH_MS)
  for (let epoch = Math.floor(plan.start / EPOCH_MS); epoch < end; epoch++) scheduleDuties(world, epoch)
  await scheduler.run(plan.end, () => violations.length > 0)
  for (const kill of kills.values()) kill()
  if (violations.length === 0) violations.push(...conclude(plan, chain, { disks: [...disks.values()], keys }))
  return { violations, wasted: chain.wasted.length, calls: chain.included.length }
}

/** More liars than the protocol bears: they could commit what is not. */
function withLiars(plan: Plan): Plan {
  const liars = Math.ceil((2 * plan.size) / 3)
  return { ...plan, restarts: [], faults: new Map(Array.from({ length: liars }, (_, at) => [(at + 1) as ProducerId, 'liar'] as const)) }
}

/** What a call does, so that the same done twice shows. */
function keyOf({ method, args }: Sent['call']): string {
  if (method === 'commitState') {
    const { epoch, history } = args[0] as Report
    return `commitState/${epoch}/${history}`
  }
  return [method, args[0], ...(method === 'postPage' ? [args[2]] : [])].map(String).join('/')
}

function makeBlock(
  { plan, scheduler, random, chain }: World,
  { block, pool, views }: { readonly block: Block; readonly pool: Sent[]; readonly views: ReadonlyMap<ProducerId, NodeView> },
): void {
  const { now } = scheduler
  const stormy = now < plan.healAt
  for (const transaction of pool.splice(0)) {
    if (stormy && random.chance(plan.storm.leftOut)) {
      pool.push(transaction)
      continue
    }
    const { by, call, settle } = transaction
    const key = call.method === 'freeze' ? `freeze/${chain.state.periods.size}` : keyOf(call)
    const refused = chain.judge(call, now, true)
    ;(refused === undefined ? chain.included : chain.wasted).push({ key, by, at: now })
    const outcome =
      refused === undefined
        ? { status: 'included' as const, hash: block.root, blockNumber: block.number, gasUsed: 1n }
        : { status: 'refused' as const, error: refused, args: {} }
    scheduler.at(now + random.int(100, 1_000), () => settle(outcome))
  }
  const { state } = chain
  for (const view of views.values()) {
    const late = random.int(10, stormy ? plan.storm.lateMs : 500)
    if (stormy && random.chance(0.2)) scheduler.at(now + random.int(5, 10), () => show(view, block, chain.siblingOf(block)))
    scheduler.at(now + late, () => arrive(view, block, chain))
    scheduler.at(now + late + random.int(0, 300), () => {
      if (view.chain.headBlock >= block.number) return
      view.chain = { head: state, finalized: state, headBlock: block.number, finalizedBlock: block.number, finalizedTimestamp: 0 }
      for (const listener of [...view.changes]) listener({ view: view.chain, applied: [], finalized: [] })
    })
  }
}

/** A sibling that will be left: the node takes it for the head until the block comes. */
function show(view: NodeView, { slot }: Block, sibling: Block): void {
  if (view.head.slot >= slot) return
  view.siblings.set(sibling.root, sibling)
  view.head = sibling
  for (const listener of [...view.heads]) listener(sibling)
}

function arrive(view: NodeView, block: Block, chain: UpkeepChain): void {
  if (view.head.slot > block.slot) return
  const before = finalizedOf(chain, view.head)
  view.head = block
  for (const listener of [...view.heads]) listener(block)
  const after = finalizedOf(chain, block)
  if (after.root === before.root) return
  const epoch = (Math.floor(block.slot / SLOTS_PER_EPOCH) - 2) as Epoch
  for (const listener of [...view.finals]) listener(epoch, after.root)
}

/** A quorum of those that keep the rules has judged every epoch that a report of this one may have to, each of them all. */
function mustBeMade(plan: Plan, { disks }: Found, epoch: number): boolean {
  const first = Math.max(FIRST_DUTIES, epoch - 4 * PARAMETERS.reportEpochs)
  const judged = Array.from({ length: Math.max(0, epoch - 1 - first) }, (_, at) => first + at)
  const able = disks.filter(
    ({ values }, at) =>
      !plan.faults.has((at + 1) as ProducerId) && judged.every((one) => values.has(`judged-duties\0${String(one).padStart(12, '0')}`)),
  )
  return able.length >= thresholdOf(plan.size)
}

/** What must be true in the end. */
function conclude(plan: Plan, chain: UpkeepChain, found: Found): readonly string[] {
  const violations: string[] = []
  const { commitments, periods } = chain.state
  const healed = Math.ceil(plan.healAt / EPOCH_MS)
  const last = epochAt(plan.end) - FINALITY_EPOCHS - PARAMETERS.disputeDuration - 4
  for (
    let epoch = Math.ceil(PARAMETERS.firstPeriod / PARAMETERS.reportEpochs) * PARAMETERS.reportEpochs;
    epoch <= last;
    epoch += PARAMETERS.reportEpochs
  ) {
    const made = [...commitments.values()].filter((one) => one.epoch === epoch && one.phase !== 'dropped')
    if (made.length > 1) violations.push(`one commitment: ${made.length} of epoch ${epoch}`)
    for (const one of made)
      if (one.digest !== truth(chain, found, one))
        violations.push(`validity: epoch ${epoch} was committed with other amounts than there were`)
    if (epoch < healed || !mustBeMade(plan, found, epoch)) continue
    const [one] = made
    if (one === undefined) violations.push(`one commitment: none of epoch ${epoch}`)
    else if (one.phase !== 'finalized') violations.push(`finalization: epoch ${epoch} is ${one.phase} at the end`)
    else {
      const due = (epoch + 2) * EPOCH_MS
      const most = (TURN_SLOTS * (plan.faults.size + 1) + 6) * SLOT_MS
      if (one.committedAt * 1_000 > due + most)
        violations.push(
          `takeover: epoch ${epoch} was committed ${one.committedAt - due / 1_000} s after it was final, with ${plan.faults.size} faulty`,
        )
    }
  }
  for (let period = 0; PARAMETERS.firstPeriod + period * PARAMETERS.periodLength <= last; period++) {
    if (periods.get(period)?.committee === undefined) violations.push(`upkeep: no committee of period ${period}`)
  }
  const counts = new Map<string, number>()
  for (const { key } of chain.included) counts.set(key, (counts.get(key) ?? 0) + 1)
  for (const [key, count] of counts) if (count > 1) violations.push(`once: ${key} was done ${count} times`)
  const wasted = new Map<string, number>()
  for (const { key } of chain.wasted) wasted.set(key, (wasted.get(key) ?? 0) + 1)
  // One's turn may end while its transaction is on its way: while blocks leave transactions out, each may have a try.
  const most = plan.healAt === plan.start && plan.faults.size === 0 ? 0 : plan.size
  for (const [key, count] of wasted) if (count > most) violations.push(`once: ${key} was paid for ${count} times for nothing`)
  return violations
}

/** Each duty of an epoch done: certificates are made by some of those alive, of a quorum or of all, the rest comes later or never. */
function scheduleDuties({ chain, scheduler, random, keys, exchanges }: World, epoch: number): void {
  for (const duty of trueDuties(chain, epoch)) {
    const { signingRoot, slot } = duty
    if (signingRoot === undefined) continue
    const places = random.shuffle([0, 1, 2, 3])
    const first = places.slice(0, random.int(3, 4))
    const maker = random.int(1, 4) as ProducerId
    scheduler.at((slot + 1) * SLOT_MS, () => exchanges.get(maker)?.add(certificateOf(keys, { ...duty, signingRoot }, first)))
    if (first.length === 4 || random.chance(0.2)) continue
    const late = (slot + random.int(1, 6 * SLOTS_PER_EPOCH)) * SLOT_MS
    scheduler.at(late, () => exchanges.get(maker)?.add(certificateOf(keys, { ...duty, signingRoot }, places.slice(3))))
  }
}

/** What the members leave behind, to judge by. */
type Found = { readonly disks: readonly Disk[]; readonly keys: Keys }

/** A set of certificates, from whoever has it; each of them must be good. */
function setOf({ disks, keys }: Found, hash: Root): readonly DutyCertificate[] {
  const set = disks.map((disk) => setOnDisk(disk, hash)).find(({ length }) => length > 0) ?? []
  const vault = VAULT.map((id) => keys.of(id).publicKey)
  return set.every((one) => verifyCertificate(one, vault, CERTIFICATE_DOMAIN)) ? set : []
}

/** The digest of the one right report where a commitment stands, with the set that it publishes. */
function truth(chain: UpkeepChain, found: Found, made: Commitment): Root {
  const { state } = chain
  const header = chain.atOrBefore(made.epoch * SLOTS_PER_EPOCH)
  const before = made.after.flatMap((id) => state.commitments.get(id) ?? [])
  const epochs = [made, ...before].flatMap((report) => judgedEpochs(report, PARAMETERS))
  const judged = epochs
    .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at))
    .filter((epoch) => epoch >= FIRST_DUTIES)
  const certificates = setOf(found, made.content.report.certificatesHash)
  const record = resultOf(
    deriveDutyRecord({
      ...{ state, report: made, parameters: PARAMETERS },
      duties: judged.flatMap((epoch) => trueDuties(chain, epoch)),
      certificates,
      certificatesHash: certificatesRoot(certificates.map(certificateLeaf)),
      earlier: before.map(({ epoch, covers, content }) => ({ epoch, covers, certificates: setOf(found, content.report.certificatesHash) })),
    }),
  )
  const validator = { balance: 32_000_000_000n + BigInt(header.slot), eligible: true }
  const balances = new Map(
    [...state.pools.values()].flatMap(({ publicKey }) => (publicKey === undefined ? [] : [[publicKey, validator] as const])),
  )
  const held = balanceAt(header.number)
  const timestamp = (header.slot * SLOT_MS) / 1_000
  const reference = {
    epoch: made.epoch,
    header,
    executionBlock: header.number,
    timestamp,
    balances,
    arrivals: { staker: held, bond: held },
  }
  const { report } = deriveReport({
    state,
    reference,
    standing: standingOf(made),
    duties: record,
    poolsPerPage: 2,
    parameters: PARAMETERS,
  })
  return reportDigest({ chainId: CHAIN_ID, contract: ADDRESSES.stateCommitments }, report)
}
