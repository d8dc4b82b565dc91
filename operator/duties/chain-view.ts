import type { Root, Slot } from '../core/ids.ts'
import type { AttestationDataValue, BeaconNode, HeadEvent } from '../core/ports/beacon.ts'
import type { SlotClock } from './time.ts'

/** Blocks remembered: two epochs of the mainnet preset. */
const HEADS_KEPT = 64

/** What the own beacon node shows: recent heads, and the attestation data it gave for each slot. */
export class ChainView {
  readonly #beacon: BeaconNode
  readonly #time: SlotClock
  readonly #heads = new Map<Root, Slot>()
  readonly #data = new Map<Slot, { readonly views: AttestationDataValue[]; pending: Promise<AttestationDataValue> }>()
  readonly #sought = new Set<Root>()
  readonly #listeners = new Set<() => void>()
  #headSlot = -1

  constructor({ beacon, time }: { readonly beacon: BeaconNode; readonly time: SlotClock }) {
    this.#beacon = beacon
    this.#time = time
  }

  /** Calls back whenever a judgement on a proposed value may change. Returns a function that stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onHead({ slot, block }: Pick<HeadEvent, 'slot' | 'block'>): void {
    this.#headSlot = slot
    this.#remember(block, slot)
    // Data asked for before this block came are stale now; peers may have seen it first.
    if (this.#data.has(slot)) this.#ask(slot).catch(() => undefined)
    this.#changed()
  }

  /**
   * Is this a recent block of the own node? One that was not seen on the head (before a restart, or its event is late) is
   * asked for, and the judgement may change.
   */
  knows(block: Root): boolean {
    if (this.#heads.has(block)) return true
    void this.#lookFor(block)
    return false
  }

  /** Learns the present head from the node, for a view that missed its event. */
  async refreshHead(signal: AbortSignal): Promise<void> {
    const head = await this.#beacon.header('head', signal)
    if (head === undefined || this.#heads.has(head.root)) return
    this.#remember(head.root, head.slot)
    this.#changed()
  }

  /** Resolves when the slot's block is the head, or a third into the slot, whichever comes first. */
  attestable(slot: Slot, signal: AbortSignal): Promise<void> {
    const { clock, slotMs } = this.#time
    const time = this.#time.startOf(slot) + slotMs / 3
    if (this.#headSlot >= slot || clock.now() >= time) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        cancel()
        stop()
        signal.removeEventListener('abort', abort)
        resolve()
      }
      const abort = (): void => {
        cancel()
        stop()
        reject(signal.reason)
      }
      const cancel = clock.at(time as ReturnType<typeof clock.now>, finish)
      const stop = this.onChange(() => this.#headSlot >= slot && finish())
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  /** The own node's attestation data for a slot: one request, however many pools attest, unless `anew`. */
  attestationData(slot: Slot, anew: boolean): Promise<AttestationDataValue> {
    return (anew ? undefined : this.#data.get(slot)?.pending) ?? this.#ask(slot)
  }

  /** Would the own node vote for this? Same source and target, and a block it has seen that such a vote can be for. */
  supports(data: AttestationDataValue): boolean {
    const views = this.#data.get(data.slot)?.views ?? []
    return views.some(
      (view) =>
        view.source.epoch === data.source.epoch &&
        view.source.root === data.source.root &&
        view.target.epoch === data.target.epoch &&
        view.target.root === data.target.root &&
        (view.beaconBlockRoot === data.beaconBlockRoot || (this.knows(data.beaconBlockRoot) && this.#isVotable(data))),
    )
  }

  /** A vote's block is no later than its slot, and the target or after it: nodes refuse any other, so the duty would be lost. */
  #isVotable({ slot, target, beaconBlockRoot }: AttestationDataValue): boolean {
    const at = this.#heads.get(beaconBlockRoot)
    if (at === undefined || at > slot) return false
    return beaconBlockRoot === target.root || at >= target.epoch * this.#time.slotsPerEpoch
  }

  /** Forgets the slots before. */
  prune(before: number): void {
    for (const slot of this.#data.keys()) if (slot < before) this.#data.delete(slot)
  }

  async #ask(slot: Slot): Promise<AttestationDataValue> {
    const pending = this.#beacon.attestationData(slot, 0)
    const entry = this.#data.get(slot) ?? { views: [], pending }
    entry.pending = pending
    this.#data.set(slot, entry)
    try {
      const view = await pending
      entry.views.push(view)
      if (entry.views.length > 4) entry.views.shift()
      this.#changed()
      return view
    } catch (failure) {
      if (this.#data.get(slot)?.pending === pending && entry.views.length === 0) this.#data.delete(slot)
      throw failure
    }
  }

  async #lookFor(block: Root): Promise<void> {
    if (this.#sought.has(block)) return
    this.#sought.add(block)
    const header = await this.#beacon.header(block).catch(() => undefined)
    this.#sought.delete(block)
    if (header === undefined || header.slot < this.#time.now() - this.#time.slotsPerEpoch) return
    this.#remember(block, header.slot)
    this.#changed()
  }

  #remember(block: Root, slot: Slot): void {
    this.#heads.delete(block)
    this.#heads.set(block, slot)
    for (const oldest of this.#heads.keys()) {
      if (this.#heads.size <= HEADS_KEPT) break
      this.#heads.delete(oldest)
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
