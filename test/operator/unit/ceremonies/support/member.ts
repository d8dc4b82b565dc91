import { startCeremonies } from '../../../../../operator/ceremonies/service.ts'
import type { CeremonyPorts, CeremonyProgress, CeremonyStage } from '../../../../../operator/ceremonies/types.ts'
import type { ProducerId, PublicKey } from '../../../../../operator/core/ids.ts'
import type { BeaconNode } from '../../../../../operator/core/ports/beacon.ts'
import type { CeremonySecrets } from '../../../../../operator/core/ports/ceremony.ts'
import type { DealingDispute } from '../../../../../operator/core/ports/disputes.ts'
import type { Log } from '../../../../../operator/core/ports/log.ts'
import { aggregateSignatures, verifyEach, verifySignature } from '../../../../../operator/protocol/bls/signatures.ts'
import { combinePartials } from '../../../../../operator/protocol/bls/threshold.ts'
import { ecdsaVerifier } from '../../../../../operator/protocol/messages/ecdsa.ts'
import { openSigner, type Signer } from '../../../../../operator/signer/open.ts'
import { ProcessClock } from '../../../simulation/scheduler.ts'
import { password } from '../../signer/support.ts'
import { GENESIS_MS, SLOT_MS, SLOTS_PER_EPOCH } from './chain.ts'
import { depositRoot } from './deposits.ts'
import { type JobDisk, jobQueue } from './queue.ts'
import type { Surroundings } from './surroundings.ts'

/** Changes what a faulty member does: any port of its own. */
export type Tamper = (ports: CeremonyPorts) => Partial<CeremonyPorts>

/** A producer's machine: what is on its disk, and the process that runs there now. */
export class Member {
  readonly id: ProducerId
  readonly dataDir: string
  readonly stages: CeremonyStage[] = []
  progress: CeremonyProgress | undefined
  /** What the chain is asked to judge, as this member raised it. */
  readonly disputes: DealingDispute[] = []
  readonly waitingFor = new Map<CeremonyStage, readonly number[]>()
  readonly ended: { readonly registered: boolean; readonly reason?: string }[] = []
  readonly warnings: string[] = []
  /** Called at each first entry of a stage in a process. */
  onStage: (stage: CeremonyStage) => void = () => {}
  ecdsaChecks = 0
  readonly #world: Surroundings
  readonly #jobs: JobDisk = new Map()
  readonly #tamper: Tamper
  #signer: Signer | undefined
  #kill: (() => void) | undefined

  constructor(world: Surroundings, options: { readonly id: ProducerId; readonly dataDir: string; readonly tamper: Tamper }) {
    this.#world = world
    this.id = options.id
    this.dataDir = options.dataDir
    this.#tamper = options.tamper
  }

  get signer(): Signer {
    if (this.#signer === undefined) throw new Error(`member ${this.id} is not running`)
    return this.#signer
  }

  get jobs(): JobDisk {
    return this.#jobs
  }

  get isRunning(): boolean {
    return this.#kill !== undefined
  }

  async start(): Promise<void> {
    const { scheduler } = this.#world
    const signer = await scheduler.hold(openSigner({ dataDir: this.dataDir, password }))
    this.#signer = signer
    const controller = new AbortController()
    const clock = new ProcessClock(scheduler)
    const isAlive = (): boolean => !controller.signal.aborted
    this.#kill = () => {
      clock.stop()
      controller.abort(new Error('killed'))
      signer.close()
    }
    const ports = this.#ports(signer, { clock, isAlive, signal: controller.signal })
    startCeremonies({ ...ports, ...this.#tamper(ports) }, controller.signal)
  }

  /** As SIGKILL would: memory is lost, the disk stays. */
  kill(): void {
    this.#kill?.()
    this.#kill = undefined
    this.#signer = undefined
  }

  #ports(
    signer: Signer,
    life: { readonly clock: ProcessClock; readonly isAlive: () => boolean; readonly signal: AbortSignal },
  ): CeremonyPorts {
    const { scheduler, network, chain } = this.#world
    const verify = ecdsaVerifier()
    const verifyEcdsa: CeremonyPorts['verifyEcdsa'] = (question) => {
      this.ecdsaChecks += 1
      return verify(question)
    }
    const seen = new Set<CeremonyStage>()
    return {
      self: this.id,
      clock: life.clock,
      beacon: {
        spec: { genesisTimeMs: GENESIS_MS, slotDurationMs: SLOT_MS, slotsPerEpoch: SLOTS_PER_EPOCH },
        signingRoots: { deposit: depositRoot },
      } as BeaconNode,
      chain: chain.follower(this.id, life.isAlive),
      contracts: chain.contracts(this.id),
      network: network.port(this.id, life.isAlive),
      queue: jobQueue({ scheduler, disk: this.#jobs, signal: life.signal }),
      secrets: this.#secrets(signer.ceremony, life.isAlive),
      operatorKey: signer.operatorKey,
      signingKey: signer.signingKey,
      verifyEcdsa,
      scheme: {
        combine: combinePartials,
        verify: (key, root, signature) => verifySignature(key as PublicKey, root, signature),
        verifyEach,
        aggregate: aggregateSignatures,
      },
      disputes: {
        raise: async (dispute) => {
          this.disputes.push(dispute)
        },
      },
      observer: {
        onProgress: (_, progress) => {
          if (!life.isAlive()) return
          const { stage, waitingFor } = progress
          this.progress = progress
          this.waitingFor.set(stage, waitingFor)
          if (seen.has(stage)) return
          seen.add(stage)
          this.stages.push(stage)
          this.onStage(stage)
        },
        onRollCall: () => {},
        onSigned: () => {},
        onEnded: (_, outcome) => this.ended.push(outcome),
      },
      log: this.#log(),
    }
  }

  /** Real work on a real disk: virtual time waits for it, and a dead process does none. */
  #secrets(secrets: CeremonySecrets, isAlive: () => boolean): CeremonySecrets {
    const real =
      <A extends readonly unknown[], R>(step: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> =>
        isAlive() ? this.#world.scheduler.hold(step(...args)) : new Promise<never>(() => {})
    return {
      begin: real(secrets.begin),
      possession: real(secrets.possession),
      check: real(secrets.check),
      deal: real(secrets.deal),
      open: real(secrets.open),
      complain: real(secrets.complain),
      reveal: real(secrets.reveal),
      sign: real(secrets.sign),
      commit: real(secrets.commit),
      isCommitted: real(secrets.isCommitted),
      erase: real(secrets.erase),
    }
  }

  #log(): Log {
    const note = (message: string, data: object = {}): void => {
      this.warnings.push(`${message} ${JSON.stringify(data)}`)
    }
    const log: Log = { debug() {}, info() {}, warn: note, error: note, child: () => log }
    return log
  }
}
