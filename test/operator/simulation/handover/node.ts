import { keepToTerms } from '../../../../operator/app/share-terms.ts'
import { startHandovers } from '../../../../operator/ceremonies/handover-service.ts'
import type { HandoverPorts } from '../../../../operator/ceremonies/handover-types.ts'
import type { ProducerId } from '../../../../operator/core/ids.ts'
import { hexToBytes } from '../../../../operator/core/parse.ts'
import type { BeaconNode } from '../../../../operator/core/ports/beacon.ts'
import type { DealingDispute } from '../../../../operator/core/ports/disputes.ts'
import type { Log, LogData } from '../../../../operator/core/ports/log.ts'
import type { ShareKeeper, ShareSigner } from '../../../../operator/core/ports/signer.ts'
import { aggregateSignatures, verifyEach, verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../operator/protocol/bls/threshold.ts'
import { ecdsaVerifier } from '../../../../operator/protocol/messages/ecdsa.ts'
import { openAnnouncements } from '../../../../operator/signer/announcements.ts'
import { createHandoverSecrets } from '../../../../operator/signer/handover-secrets.ts'
import { createHandoverStates } from '../../../../operator/signer/handover-state.ts'
import { createOperatorKey } from '../../../../operator/signer/operator-key.ts'
import { createShareSigner } from '../../../../operator/signer/share-signer.ts'
import { createShareTerms } from '../../../../operator/signer/share-terms.ts'
import { createSigningKey } from '../../../../operator/signer/signing-key.ts'
import { createSlashingProtection } from '../../../../operator/signer/slashing-protection.ts'
import { jobQueue } from '../../unit/ceremonies/support/queue.ts'
import { sha } from '../crypto.ts'
import type { SimNetwork } from '../network.ts'
import type { Random } from '../random.ts'
import { ProcessClock, type Scheduler } from '../scheduler.ts'
import { type HandoverChain, SLOT_MS, SLOTS_PER_EPOCH, START } from './chain.ts'
import { secretKey } from './crypto.ts'
import { type Disk, newDisk, sealedStates, shareStore } from './disk.ts'

export type Surroundings = {
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly chain: HandoverChain
  readonly random: Random
}
/** Changes what a faulty producer does: any port of its own. */
export type Tamper = (ports: HandoverPorts) => Partial<HandoverPorts>

export const operatorKeyOf = (seed: number, id: number): Uint8Array => hexToBytes(sha('operator', seed, id))
export const signingSecretOf = (seed: number, id: number) => secretKey('signing', seed, id)
const SPEC = { genesisTimeMs: START, slotDurationMs: SLOT_MS, slotsPerEpoch: SLOTS_PER_EPOCH }

/** A producer's machine: what is on its disk, and the process that runs there now. */
export class Node {
  readonly id: ProducerId
  readonly disk: Disk = newDisk()
  readonly warnings: string[] = []
  /** Evidence that it would take to the chain. */
  readonly disputes: DealingDispute[] = []
  crashes = 0
  /** Chance that a write is a process's last act. */
  fragility = 0
  readonly #world: Surroundings
  readonly #seed: number
  readonly #margin: number
  readonly #tamper: Tamper | undefined
  readonly #random: Random
  #life: { readonly shares: ShareSigner & ShareKeeper; readonly kill: () => void } | undefined

  constructor(
    world: Surroundings,
    options: { readonly id: ProducerId; readonly seed: number; readonly margin: number; readonly tamper: Tamper | undefined },
  ) {
    this.#world = world
    this.id = options.id
    this.#seed = options.seed
    this.#margin = options.margin
    this.#tamper = options.tamper
    this.#random = world.random.fork()
  }

  /** Undefined while the process is dead. */
  get shares(): ShareSigner | undefined {
    return this.#life?.shares
  }

  start(): void {
    if (this.#life !== undefined) return
    const { scheduler, network, chain } = this.#world
    const controller = new AbortController()
    const clock = new ProcessClock(scheduler)
    let alive = true
    const isAlive = (): boolean => alive
    const kill = (): void => {
      alive = false
      clock.stop()
      controller.abort(new Error('killed'))
      this.#life = undefined
    }
    const afterWrite = (): void => {
      if (!alive || !this.#random.chance(this.fragility)) return
      // Dead from here on: what the process still does in this instant reaches nobody.
      alive = false
      this.crashes += 1
      scheduler.at(scheduler.now, () => {
        kill()
        scheduler.at(scheduler.now + this.#random.int(100, 4 * SLOT_MS), () => this.start())
      })
    }
    const hands = { isAlive, afterWrite }
    const store = shareStore(this.disk, hands)
    const states = createHandoverStates(sealedStates(this.disk, hands))
    const protection = createSlashingProtection(this.disk.database)
    const terms = createShareTerms({ shares: store, protection, dealt: states.dealt })
    const shares = createShareSigner({ shares: store, protection, terms })
    this.#life = { shares, kill }
    const log = this.#log()
    const follower = chain.follower(this.id, isAlive)
    keepToTerms({ shares, chain: follower, spec: SPEC, parameters: { rotationMargin: this.#margin } as never, log }, controller.signal)
    const ports: HandoverPorts = {
      self: this.id,
      clock,
      beacon: { spec: SPEC } as BeaconNode,
      chain: follower,
      contracts: chain.contracts(isAlive),
      network: network.port(this.id, isAlive),
      queue: jobQueue({ scheduler, disk: this.disk.jobs, signal: controller.signal }),
      secrets: createHandoverSecrets(states, store),
      operatorKey: createOperatorKey(
        operatorKeyOf(this.#seed, this.id),
        this.disk.database,
        openAnnouncements(this.disk.database, undefined),
      ),
      signingKey: createSigningKey(signingSecretOf(this.#seed, this.id)),
      verifyEcdsa: ecdsaVerifier(),
      scheme: {
        combine: combinePartials,
        verify: (key, root, signature) => verifySignature(key as Parameters<typeof verifySignature>[0], root, signature),
        verifyEach,
        aggregate: aggregateSignatures,
      },
      observer: { onProgress: () => {}, onRollCall: () => {}, onSigned: () => {}, onEnded: () => {} },
      disputes: { raise: async (dispute) => void this.disputes.push(dispute) },
      log,
    }
    startHandovers({ ...ports, ...this.#tamper?.(ports) }, controller.signal)
  }

  /** As SIGKILL would: memory is lost, the disk stays. */
  kill(): void {
    this.#life?.kill()
  }

  #log(): Log {
    const note = (message: string, data: LogData = {}): void => {
      this.warnings.push(`${this.id}: ${message} ${JSON.stringify(data)}`)
    }
    const log: Log = { debug() {}, info() {}, warn: note, error: note, child: () => log }
    return log
  }
}
