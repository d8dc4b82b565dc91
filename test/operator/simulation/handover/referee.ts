import type { Epoch, ProducerId, Root, Slot } from '../../../../operator/core/ids.ts'
import type { Pool } from '../../../../operator/core/network.ts'
import type { AttestationToSign } from '../../../../operator/core/ports/signer.ts'
import { thresholdOf } from '../../../../operator/core/vault.ts'
import { vaultAt } from '../../../../operator/protocol/state/vaults.ts'
import { POOL } from '../../unit/ceremonies/support/chain.ts'
import { sha } from '../crypto.ts'
import { SLOTS_PER_EPOCH } from './chain.ts'
import type { Node } from './node.ts'

type Vote = { readonly round: number; readonly source: number; readonly target: number; readonly signers: Set<ProducerId> }

/** What a vault is asked to vote in an epoch: each its own, so that two vaults signing for one epoch is a double vote. */
export function voteOf(round: number, target: number, source = target - 1): AttestationToSign {
  return {
    poolId: POOL,
    round,
    slot: (target * SLOTS_PER_EPOCH) as Slot,
    sourceEpoch: source as Epoch,
    targetEpoch: target as Epoch,
    signingRoot: sha('vote', round, target, source) as Root,
  }
}

/** Asks everybody to sign whatever could hurt, and writes down every rule that is broken. */
export class HandoverReferee {
  readonly violations: string[] = []
  readonly #votes = new Map<string, Vote>()
  readonly #faulty: ReadonlySet<ProducerId>
  /** Vaults that ever stood at the head, by round. */
  readonly #vaults = new Map<number, readonly ProducerId[]>()

  constructor(faulty: ReadonlySet<ProducerId>) {
    this.#faulty = faulty
  }

  violated(rule: string, detail: string): void {
    this.violations.push(`${rule}: ${detail}`)
  }

  noteVaults({ vaults, rotation }: Pick<Pool, 'vaults' | 'rotation'>): void {
    for (const { round, members } of vaults) this.#vaults.set(round, members)
    if (rotation !== undefined) this.#vaults.set(rotation.round, rotation.members)
  }

  /** Every honest process is asked to sign with every share that it holds, also where it is not its vault's turn. */
  ask(nodes: readonly Node[], target: number, source = target - 1): void {
    for (const { id, shares } of nodes) {
      if (shares === undefined || this.#faulty.has(id)) continue
      for (const { round } of shares.pools()) {
        const request = voteOf(round, target, source)
        try {
          shares.signAttestation(request)
        } catch {
          continue
        }
        const vote = this.#votes.get(request.signingRoot) ?? { round, source, target, signers: new Set() }
        this.#votes.set(request.signingRoot, vote)
        vote.signers.add(id)
      }
    }
  }

  /** That the vault in charge can sign for the epoch, with the help of its faulty members. */
  expectSigned(pool: Pick<Pool, 'vaults'>, target: number, context: string): void {
    const term = vaultAt(pool, target as Epoch)
    if (term === undefined) {
      this.violated('liveness', `no vault has epoch ${target}`)
      return
    }
    const vote = this.#votes.get(voteOf(term.round, target).signingRoot)
    if (vote === undefined || !this.#isComplete(vote)) {
      this.violated(
        'liveness',
        `round ${term.round}, epoch ${target}: signed by ${[...(vote?.signers ?? [])].join()} of ${term.members.join()}; ${context}`,
      )
    }
  }

  #isComplete({ round, signers }: Vote): boolean {
    const members = this.#vaults.get(round) ?? []
    return members.filter((id) => signers.has(id) || this.#faulty.has(id)).length >= thresholdOf(members.length)
  }

  /** What enough members have signed that the faulty ones can complete it must not be slashable. */
  conclude(): void {
    const complete = [...this.#votes.values()].filter((vote) => this.#isComplete(vote))
    for (const a of complete) {
      for (const b of complete) {
        if (a === b) continue
        const isDouble = a.target === b.target
        const surrounds = a.source < b.source && b.target < a.target
        if (isDouble || surrounds)
          this.violated('slashable', `round ${a.round} ${a.source} → ${a.target} and round ${b.round} ${b.source} → ${b.target}`)
      }
    }
  }
}
