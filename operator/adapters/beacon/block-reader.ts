import type { electra } from '@lodestar/types'
import type { Epoch, Slot } from '../../core/ids.ts'
import { BeaconError } from '../../core/ports/beacon.ts'
import type { BeaconSession } from './session.ts'

const KEPT_BLOCKS = 8
const KEPT_SLOTS = 128

/** Reads block bodies and committee sizes, keeping the last few of what cannot change (blocks by root, committees by slot). */
export class BlockReader {
  readonly #session: BeaconSession
  readonly #bodies = new Map<string, electra.BeaconBlockBody>()
  readonly #committees = new Map<Slot, ReadonlyMap<number, number>>()

  constructor(session: BeaconSession) {
    this.#session = session
  }

  /** The body of an Electra or Fulu block, undefined when the node has no such block. Throws `BeaconError`. */
  async body(blockId: string, signal?: AbortSignal): Promise<electra.BeaconBlockBody | undefined> {
    const known = this.#bodies.get(blockId)
    if (known !== undefined) return known
    const body = await this.#session.find(
      {
        name: `block ${blockId}`,
        request: (client, init) => client.beacon.getBlockV2({ blockId }, init),
        read: (answer) => {
          const { version } = answer.meta()
          if (version !== 'electra' && version !== 'fulu') {
            throw new BeaconError('MALFORMED', `expected a block of Electra or Fulu, got ${version}`, { version })
          }
          return answer.value().message.body as electra.BeaconBlockBody
        },
      },
      signal,
    )
    if (body !== undefined && blockId.startsWith('0x')) keep(this.#bodies, blockId, body, KEPT_BLOCKS)
    return body
  }

  /** Number of validators in a committee. Throws `BeaconError`. */
  async committeeSize(
    { slot, epoch, index }: { readonly slot: Slot; readonly epoch: Epoch; readonly index: number },
    signal?: AbortSignal,
  ): Promise<number> {
    const sizes = this.#committees.get(slot) ?? (await this.#committeeSizes({ slot, epoch }, signal))
    const size = sizes.get(index)
    if (size === undefined) throw new BeaconError('MALFORMED', `slot ${slot} has no committee ${index}`, { slot, index })
    return size
  }

  async #committeeSizes({ slot, epoch }: { readonly slot: Slot; readonly epoch: Epoch }, signal?: AbortSignal) {
    const sizes = await this.#session.call(
      {
        name: `committees of slot ${slot}`,
        request: (client, init) =>
          client.beacon.getEpochCommittees({ stateId: 'head', epoch, slot }, { ...init, responseWireFormat: 'json' }),
        read: (answer) => new Map(answer.value().map((committee) => [committee.index, committee.validators.length])),
      },
      signal,
    )
    keep(this.#committees, slot, sizes, KEPT_SLOTS)
    return sizes
  }
}

function keep<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= most) return
    map.delete(oldest)
  }
}
