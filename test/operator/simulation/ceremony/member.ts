import { startCeremonies } from '../../../../operator/ceremonies/service.ts'
import type { CeremonyPorts, CeremonyProgress, CeremonyStage } from '../../../../operator/ceremonies/types.ts'
import type { BlsSignature, ProducerId, PublicKey } from '../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import type { DealingDispute } from '../../../../operator/core/ports/disputes.ts'
import type { Log } from '../../../../operator/core/ports/log.ts'
import { aggregateSignatures, verifyEach, verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../operator/protocol/bls/threshold.ts'
import { ecdsaVerifier, signEcdsa } from '../../../../operator/protocol/messages/ecdsa.ts'
import { createCeremonySecrets } from '../../../../operator/signer/ceremony-secrets.ts'
import { GENESIS_MS, SLOT_MS, SLOTS_PER_EPOCH } from '../../unit/ceremonies/support/chain.ts'
import { depositRoot } from '../../unit/ceremonies/support/deposits.ts'
import { jobQueue } from '../../unit/ceremonies/support/queue.ts'
import { ProcessClock } from '../scheduler.ts'
import { gatedKey, newDisk } from '../signer.ts'
import { newCeremonyDisk, seededDraw, sharesOn, statesOn } from './disk.ts'
import type { Keys } from './keys.ts'
import type { SimWorld } from './world.ts'

/** What a malicious member does with its ports, and what it knows besides. */
export type Lie = (ports: CeremonyPorts, member: SimMember) => Partial<CeremonyPorts>

const verify = ecdsaVerifier()
const scheme: CeremonyPorts['scheme'] = {
  combine: combinePartials,
  verify: (key, root, signature) => verifySignature(key as PublicKey, root, signature),
  verifyEach,
  aggregate: (signatures: readonly BlsSignature[]) => aggregateSignatures(signatures),
}

/** A member of a simulated ceremony: the shipped service on simulated ports, and its secrets on a disk in memory. */
export class SimMember {
  readonly id: ProducerId
  readonly keys: Keys
  readonly disk = newCeremonyDisk()
  readonly disputes: DealingDispute[] = []
  readonly log: string[] = []
  progress: CeremonyProgress | undefined
  ended: { readonly registered: boolean; readonly reason?: string } | undefined
  onStage: (stage: CeremonyStage) => void = () => {}
  readonly #world: SimWorld
  readonly #lie: Lie | undefined
  #life = 0
  #kill: (() => void) | undefined

  constructor(world: SimWorld, options: { readonly id: ProducerId; readonly keys: Keys; readonly lie: Lie | undefined }) {
    this.#world = world
    this.id = options.id
    this.keys = options.keys
    this.#lie = options.lie
  }

  get isRunning(): boolean {
    return this.#kill !== undefined
  }

  start(): void {
    const controller = new AbortController()
    const clock = new ProcessClock(this.#world.scheduler)
    this.#life += 1
    this.#kill = () => {
      clock.stop()
      controller.abort(new Error('killed'))
    }
    const ports = this.#ports(clock, controller.signal)
    startCeremonies({ ...ports, ...this.#lie?.(ports, this) }, controller.signal)
  }

  kill(): void {
    this.#kill?.()
    this.#kill = undefined
  }

  #ports(clock: ProcessClock, signal: AbortSignal): CeremonyPorts {
    const { scheduler, network, chain, seed } = this.#world
    const isAlive = (): boolean => !signal.aborted
    let stage: CeremonyStage | undefined
    return {
      self: this.id,
      clock,
      beacon: {
        spec: { genesisTimeMs: GENESIS_MS, slotDurationMs: SLOT_MS, slotsPerEpoch: SLOTS_PER_EPOCH },
        signingRoots: { deposit: depositRoot },
      } as BeaconNode,
      chain: chain.follower(this.id, isAlive),
      contracts: chain.contracts(this.id),
      network: network.port(this.id, isAlive),
      queue: jobQueue({ scheduler, disk: this.disk.jobs, signal }),
      secrets: createCeremonySecrets(statesOn(this.disk), sharesOn(this.disk), seededDraw(seed, this.id, this.#life)),
      operatorKey: gatedKey({
        disk: { ...newDisk(), said: this.disk.said },
        operator: { address: this.keys.operator, sign: (digest) => signEcdsa(digest, this.keys.operatorKey) },
        afterWrite: () => {},
      }),
      signingKey: this.keys.signing,
      verifyEcdsa: verify,
      scheme,
      disputes: {
        raise: async (dispute) => {
          this.disputes.push(dispute)
        },
      },
      observer: {
        onProgress: (_, progress) => {
          if (!isAlive()) return
          this.progress = progress
          if (progress.stage === stage) return
          stage = progress.stage
          this.#world.trace?.(`${scheduler.now} member ${this.id}: ${stage}`)
          this.onStage(stage)
        },
        onRollCall: () => {},
        onSigned: () => {},
        onEnded: (_, outcome) => {
          if (isAlive()) this.ended = outcome
        },
      },
      log: this.#logger(),
    }
  }

  #logger(): Log {
    const note = (message: string, data: object = {}): void => {
      this.log.push(`${message} ${JSON.stringify(data)}`)
      this.#world.trace?.(`${this.#world.scheduler.now} member ${this.id}: ${message} ${JSON.stringify(data)}`)
    }
    const log: Log = { debug() {}, info: note, warn: note, error: note, child: () => log }
    return log
  }
}
