import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JudgedDuty, JudgedType } from '../core/duties.ts'
import { reasonOf } from '../core/errors.ts'
import type { Epoch, PoolId, Root, Slot, ValidatorIndex } from '../core/ids.ts'
import type { NetworkState } from '../core/network.ts'
import type { BeaconHeaderInfo, BeaconNode, HeadEvent } from '../core/ports/beacon.ts'
import type { ChainFollower } from '../core/ports/chain.ts'
import type { Log } from '../core/ports/log.ts'
import type { Store } from '../core/ports/store.ts'
import type { EpochRange } from '../core/report.ts'

const SCHEDULES = 'duty-schedule'
const JUDGED = 'judged-duties'
/** Epochs judged at one finality at most, the newest first: after a long absence the rest comes with the next. */
const EPOCHS_AT_ONCE = 32
/** Finalities at which an epoch is tried: what a beacon node has forgotten it will not remember. */
const MOST_TRIES = 8
/** Epochs read in one turn of the event loop. */
const READ_AT_ONCE = 16
/** Epochs kept. */
const KEPT = 2_048
/** A validator is active so many epochs after the one in which its balance suffices, at the earliest (MAX_SEED_LOOKAHEAD; every preset's). */
const LEAST_ACTIVATION_EPOCHS = 4

/** A duty as the schedule has it; committee and position of attestations. */
type Scheduled = {
  readonly poolId: PoolId
  readonly validatorIndex: ValidatorIndex
  readonly type: JudgedType
  readonly slot: Slot
  readonly committeeIndex: number
  readonly position: number
}
/** The duties of an epoch while these roots stand, as asked for when so many pools were known. */
type Schedule = { readonly attesters: Root; readonly proposers: Root; readonly pools: number; readonly duties: readonly Scheduled[] }

type DutyHead = Pick<HeadEvent, 'slot' | 'previousDutyDependentRoot' | 'currentDutyDependentRoot'>
type Ports = { readonly beacon: BeaconNode; readonly chain: ChainFollower; readonly store: Store; readonly log: Log }

const keyOf = (epoch: number): string => String(epoch).padStart(12, '0')

/**
 * Every pool's duties, epoch by epoch: asked for while the epoch is at the head (beacon nodes need not remember them), judged by
 * the blocks of it and the next epoch once these are final. What is judged is the same for everybody.
 */
export class DutyHistory {
  readonly #ports: Ports
  #running: Promise<void> = Promise.resolve()
  /** What the schedule was last asked for by. */
  #asked = ''
  /** How often judging an epoch has failed. */
  readonly #tries = new Map<Epoch, number>()
  /** Epochs known to be judged. */
  readonly #known = new Set<Epoch>()

  constructor(ports: Ports) {
    this.#ports = ports
  }

  /** To be called at each head: asks anew when the epoch, what decides its duties, or the pools have changed. Never rejects. */
  async onHead(head: DutyHead, signal: AbortSignal): Promise<void> {
    const { slot, previousDutyDependentRoot, currentDutyDependentRoot } = head
    const epoch = this.#epochOf(slot)
    const asked = [epoch, previousDutyDependentRoot, currentDutyDependentRoot, this.#poolsIn(epoch).length].join('/')
    if (asked === this.#asked) return
    try {
      await this.#capture(epoch, signal)
      this.#asked = asked
    } catch (error) {
      if (!signal.aborted) this.#ports.log.debug('the duties of an epoch are not known yet', { slot, reason: reasonOf(error) })
    }
  }

  /** To be called at each finality: judges what it decides, one call after the other. Never rejects. */
  onFinalized(epoch: Epoch, signal: AbortSignal): Promise<void> {
    this.#running = this.#running
      .then(() => this.#judgeUpTo((epoch - 2) as Epoch, signal))
      .catch((error: unknown) => {
        if (!signal.aborted) this.#ports.log.warn('duties are not judged yet', { epoch, reason: reasonOf(error) })
      })
    return this.#running
  }

  /** Which of these epochs this node has not judged. */
  unknown(ranges: readonly EpochRange[]): readonly Epoch[] {
    return epochsOf(ranges).filter((epoch) => {
      if (this.#known.has(epoch)) return false
      const isKnown = this.#ports.store.get(JUDGED, keyOf(epoch)) !== undefined
      if (isKnown) this.#known.add(epoch)
      return !isKnown && this.#poolsIn(epoch).length > 0
    })
  }

  /** The judged duties of these epochs, by pool and slot; some epochs are read in each turn of the event loop. */
  async duties(ranges: readonly EpochRange[]): Promise<readonly JudgedDuty[]> {
    const duties: JudgedDuty[] = []
    for (const [at, epoch] of epochsOf(ranges).entries()) {
      if (at % READ_AT_ONCE === READ_AT_ONCE - 1) await nextTurn()
      duties.push(...(this.#judged(epoch) ?? []))
    }
    return duties.sort((a, b) => a.poolId - b.poolId || a.slot - b.slot || (a.type < b.type ? -1 : 1))
  }

  #epochOf(slot: number): Epoch {
    return Math.floor(slot / this.#ports.beacon.spec.slotsPerEpoch) as Epoch
  }

  #judged(epoch: Epoch): readonly JudgedDuty[] | undefined {
    const text = this.#ports.store.get(JUDGED, keyOf(epoch))
    if (text !== undefined) return (JSON.parse(text) as (Omit<JudgedDuty, 'signingRoot'> & { signingRoot?: Root })[]).map(withRoot)
    return this.#poolsIn(epoch).length === 0 ? [] : undefined
  }

  #schedules(epoch: Epoch): readonly Schedule[] {
    return JSON.parse(this.#ports.store.get(SCHEDULES, keyOf(epoch)) ?? '[]') as readonly Schedule[]
  }

  /** Pools that were funded long enough before an epoch ended: only they can have had duties in it. */
  #poolsIn(epoch: Epoch): readonly { readonly poolId: PoolId; readonly validatorIndex: ValidatorIndex }[] {
    const { genesisTimeMs, slotDurationMs, slotsPerEpoch } = this.#ports.beacon.spec
    const end = (genesisTimeMs + (epoch + 1 - LEAST_ACTIVATION_EPOCHS) * slotsPerEpoch * slotDurationMs) / 1_000
    const state: NetworkState = this.#ports.chain.view().head
    return [...state.pools.values()].flatMap(({ id, validatorIndex, fundedAt }) =>
      validatorIndex === undefined || fundedAt === undefined || fundedAt >= end ? [] : [{ poolId: id, validatorIndex }],
    )
  }

  async #capture(epoch: Epoch, signal: AbortSignal): Promise<void> {
    const { beacon, store } = this.#ports
    const pools = this.#poolsIn(epoch)
    if (pools.length === 0) return
    const poolOf = new Map(pools.map(({ poolId, validatorIndex }) => [validatorIndex, poolId]))
    const [attesters, proposers] = await Promise.all([
      beacon.attesterDuties(epoch, [...poolOf.keys()], signal),
      beacon.proposerDuties(epoch, signal),
    ])
    const place = { attesters: attesters.dependentRoot, proposers: proposers.dependentRoot }
    const known = this.#schedules(epoch)
    const others = known.filter((one) => one.attesters !== place.attesters || one.proposers !== place.proposers)
    if (others.length < known.length && known.some((one) => !others.includes(one) && one.pools >= pools.length)) return
    const duties: Scheduled[] = []
    for (const { validatorIndex, slot, committeeIndex, validatorCommitteeIndex: position } of attesters.duties) {
      const poolId = poolOf.get(validatorIndex)
      if (poolId !== undefined) duties.push({ poolId, validatorIndex, type: 'attestation', slot, committeeIndex, position })
    }
    for (const { validatorIndex, slot } of proposers.duties) {
      const poolId = poolOf.get(validatorIndex)
      // Nobody proposes the genesis block.
      if (poolId !== undefined && slot > 0) duties.push({ poolId, validatorIndex, type: 'proposal', slot, committeeIndex: 0, position: 0 })
    }
    store.put(SCHEDULES, keyOf(epoch), JSON.stringify([...others, { ...place, pools: pools.length, duties }]))
  }

  async #judgeUpTo(last: Epoch, signal: AbortSignal): Promise<void> {
    const { store, log } = this.#ports
    const first = Math.max(0, last + 1 - KEPT)
    const due: Epoch[] = []
    for (let epoch = last; epoch >= first && due.length < EPOCHS_AT_ONCE; epoch--) {
      if ((this.#tries.get(epoch) ?? 0) < MOST_TRIES && this.#judged(epoch) === undefined) due.push(epoch)
    }
    for (const epoch of due) {
      try {
        await this.#judge(epoch, signal)
        this.#tries.delete(epoch)
      } catch (error) {
        signal.throwIfAborted()
        const tries = (this.#tries.get(epoch) ?? 0) + 1
        this.#tries.set(epoch, tries)
        if (tries === 1) log.warn('the duties of an epoch are not judged', { epoch, reason: reasonOf(error) })
      }
    }
    for (const epoch of this.#tries.keys()) if (epoch < first) this.#tries.delete(epoch)
    for (const epoch of this.#known) if (epoch < first) this.#known.delete(epoch)
    store.transaction(() => {
      for (const space of [SCHEDULES, JUDGED]) {
        for (const [key] of store.list(space, { limit: EPOCHS_AT_ONCE })) if (key < keyOf(first)) store.delete(space, key)
      }
    })
  }

  async #judge(epoch: Epoch, signal: AbortSignal): Promise<void> {
    const { beacon, store } = this.#ports
    const { slotsPerEpoch } = beacon.spec
    if (this.#schedules(epoch).length === 0) await this.#capture(epoch, signal)
    const chain = await this.#chainFrom((epoch + 2) * slotsPerEpoch, Math.max(0, (epoch - 1) * slotsPerEpoch - 1), signal)
    const roots = new Set(chain.map(({ root }) => root))
    const schedules = this.#schedules(epoch)
    const schedule =
      schedules.find(({ attesters, proposers }) => roots.has(attesters) && roots.has(proposers)) ??
      (schedules.length === 1 ? schedules[0] : undefined)
    if (schedule === undefined)
      throw new Error(`expected the duties of epoch ${epoch} on the finalized chain, found ${schedules.length} others`)
    const voted = new Map<string, Root>()
    const blocks = chain.filter(({ slot }) => slot >= epoch * slotsPerEpoch && slot < (epoch + 2) * slotsPerEpoch)
    // The newest first: of a vote that several blocks have, the first one's counts last.
    for (const { root } of blocks) {
      for (const { slot, committeeIndex, positions, root: data } of await beacon.includedAttesters(root, signal)) {
        for (const position of positions) voted.set(`${slot}/${committeeIndex}/${position}`, data)
      }
    }
    const judged = schedule.duties.map(({ poolId, type, slot, committeeIndex, position, validatorIndex }) => {
      const duty = { poolId, type, slot }
      if (type === 'proposal') {
        const block = blocks.find((one) => one.slot === slot && one.proposerIndex === validatorIndex)
        return block === undefined ? duty : { ...duty, signingRoot: beacon.signingRoots.block(slot, block.root) }
      }
      const data = voted.get(`${slot}/${committeeIndex}/${position}`)
      return data === undefined ? duty : { ...duty, signingRoot: beacon.signingRoots.attestationRoot(epoch, data) }
    })
    store.put(JUDGED, keyOf(epoch), JSON.stringify(judged))
  }

  /** Headers of the finalized chain, newest first: of slots before `before`, down to the block at or before `until`. */
  async #chainFrom(before: number, until: number, signal: AbortSignal): Promise<readonly BeaconHeaderInfo[]> {
    const { beacon } = this.#ports
    const headers: BeaconHeaderInfo[] = []
    for (let id: string = 'finalized'; ; ) {
      const header = await beacon.header(id, signal)
      if (header === undefined) throw new Error(`expected the header of block ${id}, the beacon node has none`)
      if (header.slot < before) headers.push(header)
      if (header.slot <= until) return headers
      id = header.parentRoot
    }
  }
}

const epochsOf = (ranges: readonly EpochRange[]): readonly Epoch[] =>
  ranges.flatMap(({ from, to }) => Array.from({ length: Math.max(0, to - from) }, (_, at) => (from + at) as Epoch))

const withRoot = ({ poolId, type, slot, signingRoot }: Omit<JudgedDuty, 'signingRoot'> & { signingRoot?: Root }): JudgedDuty => ({
  ...{ poolId, type, slot },
  signingRoot,
})
