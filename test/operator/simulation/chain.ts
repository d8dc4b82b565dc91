import type { BlsSignature, Epoch, Root, Slot } from '../../../operator/core/ids.ts'
import type { AttestationDataValue, HeadEvent } from '../../../operator/core/ports/beacon.ts'
import { sha } from './crypto.ts'
import type { Plan } from './plan.ts'
import { SLOTS_PER_EPOCH, START_SLOT, timeOf } from './plan.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** Target of the epoch that had begun long before the simulation. */
const OLD_BLOCK = { root: sha('old block') as Root, slot: 0 as Slot, parent: sha('older block') as Root }

export type SimBlock = { readonly root: Root; readonly slot: Slot; readonly parent: Root }
export type Published = {
  readonly attestations: {
    readonly validator: number
    readonly data: AttestationDataValue
    readonly root: Root
    readonly signature: BlsSignature
  }[]
  readonly blocks: { readonly validator: number; readonly slot: Slot; readonly root: Root; readonly signature: BlsSignature }[]
  readonly exits: { readonly validator: number; readonly root: Root; readonly signature: BlsSignature }[]
}

/** One beacon node's view of the chain: blocks arrive late, and while the storm lasts siblings come first. */
export type View = {
  readonly index: number
  /** By slot: the chain that this node follows. */
  readonly blocks: Map<number, SimBlock>
  head: SimBlock
  /** Has the reorg that moves duties arrived here? */
  moved: boolean
  /** Justified checkpoint one epoch behind the others'. */
  readonly stale: boolean
  readonly listeners: Set<(event: HeadEvent) => void>
}

/** The beacon chain that all simulated nodes see, each in its own time. */
export class SimChain {
  readonly published: Published = { attestations: [], blocks: [], exits: [] }
  readonly #plan: Plan
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #canonical: SimBlock[]
  readonly #siblings = new Set<Root>()

  constructor({ plan, scheduler, random }: { readonly plan: Plan; readonly scheduler: Scheduler; readonly random: Random }) {
    this.#plan = plan
    this.#scheduler = scheduler
    this.#random = random
    const first: SimBlock = { root: sha('block', START_SLOT - 1) as Root, slot: (START_SLOT - 1) as Slot, parent: sha('parent') as Root }
    const blocks = [first]
    for (let slot = START_SLOT; timeOf(slot) < plan.end; slot++) {
      const parent = blocks.at(-1) ?? first
      if (!random.chance(0.1)) blocks.push({ root: sha('block', slot) as Root, slot: slot as Slot, parent: parent.root })
    }
    this.#canonical = blocks
  }

  /** A node's view, with the arrivals of all blocks to come. */
  addView(index: number): View {
    const [first] = this.#canonical
    if (first === undefined) throw new Error('a chain has a first block')
    const storm = this.#plan.weather.drop > 0
    const stale = storm && this.#random.chance(0.1)
    const view: View = { index, blocks: new Map([[first.slot, first]]), head: first, moved: false, stale, listeners: new Set() }
    for (const block of this.#canonical.slice(1)) this.#arrive(view, block, storm)
    this.#scheduler.at(this.#plan.reorgAt + this.#random.int(0, 1_000), () => {
      view.moved = true
      this.announce(view)
    })
    return view
  }

  data(view: View, slot: Slot): AttestationDataValue {
    const epoch = Math.floor(slot / SLOTS_PER_EPOCH) as Epoch
    const boundary = epoch * SLOTS_PER_EPOCH
    const past = [...view.blocks.values()].filter((block) => block.slot <= boundary)
    const target = past.reduce((latest, block) => (block.slot > latest.slot ? block : latest), past[0] ?? OLD_BLOCK)
    // Members seldom vote for the very same block in a storm: any that both know will do.
    // Asked late, nodes tell the head of then.
    const known = [...view.blocks.values()].filter((block) => block.slot <= slot)
    const recent = known.length === 0 ? [view.head] : known.slice(-3)
    const head = recent.reduce((latest, block) => (block.slot > latest.slot ? block : latest))
    const vote = this.#scheduler.now < this.#plan.healAt + 2_000 ? this.#random.pick(recent) : head
    const sourceEpoch = (epoch - (view.stale && this.#scheduler.now < this.#plan.healAt ? 2 : 1)) as Epoch
    return {
      slot,
      beaconBlockRoot: vote.root,
      source: { epoch: sourceEpoch, root: sha('checkpoint', sourceEpoch) as Root },
      target: { epoch, root: target.root },
    }
  }

  /** Root of the block that decides the attester duties of the next epoch and the proposers of this one. */
  dependentRoot(view: View, epoch: number): Root {
    return sha('dependent', epoch, view.moved ? 'moved' : 'first') as Root
  }

  /** Was there ever such a block, be it orphaned? */
  existed(root: Root): boolean {
    return this.#canonical.some((block) => block.root === root) || this.#siblings.has(root)
  }

  #arrive(view: View, block: SimBlock, storm: boolean): void {
    const time = timeOf(block.slot)
    const stormy = storm && time < this.#plan.healAt
    const late = stormy && this.#random.chance(0.3) ? this.#random.int(0, 3_000) : this.#random.int(5, 60)
    if (stormy && late > 100 && this.#random.chance(0.3)) {
      const sibling = { ...block, root: sha('sibling', block.slot, view.index % 2) as Root }
      this.#siblings.add(sibling.root)
      this.#scheduler.at(time + this.#random.int(5, 100), () => this.#follow(view, sibling, block.slot - 1))
    }
    this.#scheduler.at(time + late, () => this.#follow(view, block, block.slot))
  }

  #follow(view: View, block: SimBlock, canonicalTo: number): void {
    if (block.slot < view.head.slot) return
    for (const known of this.#canonical) if (known.slot <= canonicalTo && known.slot >= START_SLOT - 1) view.blocks.set(known.slot, known)
    view.blocks.set(block.slot, block)
    view.head = block
    this.announce(view)
  }

  /** Tells a node's listeners its head, as a stream of events does on connection. */
  announce(view: View): void {
    const { slot, root } = view.head
    const epoch = Math.floor(slot / SLOTS_PER_EPOCH)
    const event: HeadEvent = {
      slot,
      block: root,
      state: sha('state', root) as Root,
      epochTransition: slot % SLOTS_PER_EPOCH === 0,
      previousDutyDependentRoot: this.dependentRoot(view, epoch - 1),
      currentDutyDependentRoot: this.dependentRoot(view, epoch),
    }
    for (const listener of [...view.listeners]) listener(event)
  }
}
