import type {
  Address,
  MemberIndex,
  Milliseconds,
  PoolId,
  ProducerId,
  PublicKey,
  Root,
  Slot,
  ValidatorIndex,
} from '../../../../operator/core/ids.ts'
import type { AttestationDataValue } from '../../../../operator/core/ports/beacon.ts'
import type { Clock } from '../../../../operator/core/ports/clock.ts'
import type { Log, LogData } from '../../../../operator/core/ports/log.ts'
import type { Network } from '../../../../operator/core/ports/network.ts'
import type { DutyMetrics } from '../../../../operator/duties/metrics.ts'
import type { AttestationDuty, DutyPool, ProposalDuty } from '../../../../operator/duties/types.ts'
import type { SimPoolKeys } from '../../simulation/crypto.ts'
import { hashCrypto, sha } from '../../simulation/crypto.ts'

export const crypto = hashCrypto()
export const FEE_RECIPIENT = `0x${'fe'.repeat(20)}` as Address
export const slot = (value: number): Slot => value as Slot
export const member = (value: number): MemberIndex => value as MemberIndex
export const root = (name: string): Root => sha(name) as Root

export type TestPool = { readonly pool: DutyPool; readonly keys: SimPoolKeys }

/** A vault of `size` as its member `self` sees it; producers are 11, 12 … */
export function testPool(self = 1, size = 4): TestPool {
  const keys = crypto.poolKeys({ name: `pool of ${size}`, size, threshold: Math.ceil((2 * size) / 3) })
  const members = Array.from({ length: size }, (_, i) => (11 + i) as ProducerId)
  const pool: DutyPool = {
    poolId: 5 as PoolId,
    round: 0,
    signingKeys: members.map((id) => sha('signing key', id) as PublicKey),
    members,
    operators: members.map((id) => crypto.operator(`producer ${id}`).address),
    self: member(self),
    quorum: Math.ceil((2 * size) / 3),
    groupKey: keys.groupKey,
    publicShares: keys.publicShares,
    validatorIndex: 77 as ValidatorIndex,
    feeRecipient: FEE_RECIPIENT,
  }
  return { pool, keys }
}

export function attestationDuty(pool: DutyPool, at = 100): AttestationDuty {
  const committee = { committeeIndex: 2, committeeLength: 8, committeesAtSlot: 4, validatorCommitteeIndex: 3 }
  const attester = { publicKey: '0x' as PublicKey, validatorIndex: pool.validatorIndex, slot: slot(at), ...committee }
  return { type: 'attestation', pool, slot: slot(at), attester }
}

export function proposalDuty(pool: DutyPool, at = 100): ProposalDuty {
  return { type: 'proposal', pool, slot: slot(at) }
}

export function attestationData(at = 100, change: Partial<AttestationDataValue> = {}): AttestationDataValue {
  const epoch = Math.floor(at / 32) as AttestationDataValue['target']['epoch']
  const source = { epoch: (epoch - 1) as typeof epoch, root: root('source') }
  return { slot: slot(at), beaconBlockRoot: root('head'), source, target: { epoch, root: root('target') }, ...change }
}

/** A clock that is set by hand. */
export class TestClock implements Clock {
  #now = 0
  #timers: { readonly time: number; readonly callback: () => void }[] = []

  now(): Milliseconds {
    return this.#now as Milliseconds
  }

  at(time: Milliseconds, callback: () => void): () => void {
    const timer = { time, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves on, timer by timer, and lets promises settle after each. */
  async advanceTo(time: number): Promise<void> {
    await settle()
    for (;;) {
      const next = this.#timers.filter((timer) => timer.time <= time).sort((a, b) => a.time - b.time)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = Math.max(this.#now, next.time)
      next.callback()
      await settle()
    }
    this.#now = Math.max(this.#now, time)
    await settle()
  }
}

export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export type Sent = { readonly to: ProducerId; readonly bytes: Uint8Array }

/** A network that keeps what was sent. */
export function recordingNetwork(self = 11): { readonly network: Network; readonly sent: Sent[] } {
  const sent: Sent[] = []
  const network: Network = {
    self: self as ProducerId,
    send: (to, _, bytes) => sent.push({ to, bytes }),
    onMessage: () => () => {},
  }
  return { network, sent }
}

export type Line = { readonly level: string; readonly message: string; readonly data: LogData }

export function recordingLog(): { readonly log: Log; readonly lines: Line[] } {
  const lines: Line[] = []
  const at =
    (level: string) =>
    (message: string, data: LogData = {}): void => {
      lines.push({ level, message, data })
    }
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return { log, lines }
}

/** Metrics as a list of what was told. */
export function recordingMetrics(): { readonly metrics: DutyMetrics; readonly told: string[] } {
  const told: string[] = []
  const tell =
    (name: string) =>
    (...values: readonly (string | number)[]): void => {
      told.push([name, ...values].join(' '))
    }
  const names = ['due', 'stage', 'latency', 'decided', 'completed', 'missed', 'included', 'notIncluded', 'messageDropped'] as const
  const metrics = Object.fromEntries(names.map((name) => [name, tell(name)])) as unknown as DutyMetrics
  return { metrics, told }
}
