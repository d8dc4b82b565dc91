import type { Epoch, PoolId, ProducerId, Root } from '../../../operator/core/ids.ts'
import type { SignatureAggregation } from '../../../operator/core/ports/aggregation.ts'
import { thresholdOf } from '../../../operator/core/vault.ts'
import type { CertificateSink } from '../../../operator/duties/certifier.ts'
import { certificateDigest, type DutyCertificate } from '../../../operator/protocol/messages/certificate.ts'
import { placeOf } from '../../../operator/protocol/state/summaries.ts'
import type { Published } from './chain.ts'
import { CERTIFICATE_DOMAIN, signingKeyOf } from './participation.ts'
import type { Plan } from './plan.ts'
import { SLOTS_PER_EPOCH, timeOf } from './plan.ts'

export type Vote = { readonly source: Epoch; readonly target: Epoch }
type SignedRoot = { readonly root: Root; readonly kind: string; readonly vote: Vote | undefined; readonly signers: Set<ProducerId> }

/** Watches the honest members and writes down every rule that is broken. */
export class Referee {
  readonly violations: string[] = []
  readonly #plan: Plan
  readonly #signed = new Map<PoolId, Map<Root, SignedRoot>>()
  readonly #open = new Map<ProducerId, Set<string>>()
  readonly #certified = new Map<string, bigint>()
  readonly #said = new Map<string, Root>()

  constructor(plan: Plan) {
    this.#plan = plan
    for (let producer = 1 as ProducerId; producer <= plan.size; producer++) {
      if (!plan.faults.has(producer as ProducerId)) this.#open.set(producer as ProducerId, new Set(requiredDuties(plan)))
    }
  }

  /** Where a member's certificates go; those of honest members are judged. All members see them at once. */
  certificatesOf(producer: ProducerId, aggregation: SignatureAggregation): CertificateSink {
    return {
      participation: (duty) => this.#certified.get(placeOf(duty)) ?? 0n,
      add: (certificate) => {
        if (this.isHonest(producer)) this.#judge(producer, certificate, aggregation)
      },
    }
  }

  #judge(producer: ProducerId, certificate: DutyCertificate, aggregation: SignatureAggregation): void {
    const { poolId, slot, dutyType, signingRoot, participation, signature } = certificate
    const members = this.#plan.pools.find((pool) => pool.poolId === poolId)?.members ?? []
    const keys = members.filter((_, place) => (participation >> BigInt(place)) & 1n).map(signingKeyOf)
    const name = `certificate of pool ${poolId} slot ${slot} type ${dutyType} by ${producer}`
    if (!aggregation.verifyAll(keys, certificateDigest(CERTIFICATE_DOMAIN, certificate), signature))
      this.violated('certificate', `${name} is bad`)
    const signed = this.#signed.get(poolId)?.get(signingRoot)
    for (const [place, member] of members.entries()) {
      const isNamed = ((participation >> BigInt(place)) & 1n) === 1n
      if (isNamed && this.isHonest(member) && signed?.signers.has(member) !== true) this.violated('certificate', `${name} names ${member}`)
    }
    this.#certified.set(placeOf(certificate), (this.#certified.get(placeOf(certificate)) ?? 0n) | participation)
  }

  isHonest(producer: ProducerId): boolean {
    return !this.#plan.faults.has(producer)
  }

  violated(rule: string, detail: string): void {
    this.violations.push(`${rule}: ${detail}`)
  }

  /** An honest member has signed: agreement means that no other signs anything else in that place. */
  signed({
    poolId,
    kind,
    root,
    vote,
    by,
  }: {
    readonly poolId: PoolId
    readonly kind: string
    readonly root: Root
    readonly vote: Vote | undefined
    readonly by: ProducerId
  }): void {
    const roots = this.#signed.get(poolId) ?? new Map<Root, SignedRoot>()
    this.#signed.set(poolId, roots)
    const entry = roots.get(root) ?? { root, kind, vote, signers: new Set() }
    roots.set(root, entry)
    entry.signers.add(by)
    if (kind === 'randao') return
    for (const other of roots.values()) {
      if (other.kind === kind && other.root !== root)
        this.violated('agreement', `pool ${poolId} ${kind}: members ${[...entry.signers]} and ${[...other.signers]}`)
    }
  }

  /** A member that keeps to the protocol has signed with its operator key: in one place one thing, whatever happened to its machine. */
  said(producer: ProducerId, place: string, digest: Root): void {
    const earlier = this.#said.get(`${producer}/${place}`) ?? digest
    this.#said.set(`${producer}/${place}`, earlier)
    if (earlier !== digest) this.violated('equivocation', `member ${producer} said two things as ${place}`)
  }

  completed(producer: ProducerId, duty: string): void {
    this.#open.get(producer)?.delete(duty)
  }

  isDone(): boolean {
    if (this.violations.length > 0) return true
    for (const open of this.#open.values()) if (open.size > 0) return false
    return true
  }

  /** The last word, once the run is over. */
  conclude({
    published,
    isValidSignature,
  }: {
    readonly published: Published
    readonly isValidSignature: (validator: number, root: Root, signature: string) => boolean
  }): void {
    for (const [producer, open] of this.#open) {
      if (open.size > 0) this.violated('termination', `member ${producer} did not finish ${[...open].join(', ')}`)
    }
    for (const { validator, root, signature } of [...published.attestations, ...published.blocks, ...published.exits]) {
      if (!isValidSignature(validator, root, signature)) this.violated('signature', `validator ${validator} published a wrong one`)
    }
    for (const [poolId, roots] of this.#signed) this.#checkSlashable(poolId, [...roots.values()])
  }

  /** What enough members have signed that the faulty ones can complete it must not be slashable. */
  #checkSlashable(poolId: PoolId, roots: readonly SignedRoot[]): void {
    const complete = roots.filter(({ signers }) => signers.size + this.#plan.faults.size >= thresholdOf(this.#plan.size))
    for (const one of complete) {
      for (const other of complete) {
        if (one.root === other.root) continue
        const double = one.kind.startsWith('proposal') && one.kind === other.kind
        const votes = one.vote !== undefined && other.vote !== undefined && isSlashable(one.vote, other.vote)
        if (double || votes) this.violated('slashable', `pool ${poolId} ${one.kind} and ${other.kind}`)
      }
    }
  }
}

function isSlashable(one: Vote, other: Vote): boolean {
  return one.target === other.target || (one.source < other.source && other.target < one.target)
}

/** What every honest member must have finished in the end: attestations wait for the network to heal, proposals cannot. */
function requiredDuties({ pools, healAt, requiredFrom }: Plan): readonly string[] {
  return pools.flatMap(({ poolId, attestations, proposals, exitAt }) => [
    // A member that has attested before a reorg moved its duty must not attest again in that epoch.
    ...attestations
      .filter(({ movedTo, slot }) => movedTo === undefined && slot >= requiredFrom)
      .map(({ slot }) => `${poolId}/${slot}/attestation`),
    ...proposals.filter((slot) => timeOf(slot - 2) >= healAt).map((slot) => `${poolId}/${slot}/proposal`),
    ...(exitAt === undefined ? [] : [`${poolId}/0/exit`]),
  ])
}

export function epochOf(slot: number): Epoch {
  return Math.floor(slot / SLOTS_PER_EPOCH) as Epoch
}
