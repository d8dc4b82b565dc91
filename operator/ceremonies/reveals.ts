import type { MemberIndex } from '../core/ids.ts'
import type { Dealing, Reveal } from '../core/ports/ceremony.ts'
import { DkgError } from '../protocol/dkg/errors.ts'
import { openReveal, type Polynomials, polynomialsOf, resultFrom } from '../protocol/dkg/result.ts'
import type { RevealedPoints } from '../protocol/dkg/reveal.ts'
import type { Transcript } from '../protocol/dkg/transcript.ts'
import type { CeremonyResult } from '../protocol/messages/ceremony.ts'
import type { Play } from './play.ts'

/** Verifies the reveals as they come. One that is wrong counts as little as one that never comes, and its author is named. */
export class Reveals {
  readonly #play: Play
  readonly #transcript: Transcript
  readonly #polynomials: Polynomials
  readonly #judged = new Set<Reveal>()
  readonly #points = new Map<MemberIndex, RevealedPoints>()

  /** `dealings` in member order, those of the transcript. Throws `DkgError` when they make no key. */
  constructor(play: Play, transcript: Transcript, dealings: readonly (Dealing | null)[]) {
    this.#play = play
    this.#transcript = transcript
    const { context } = play.ceremony
    this.#polynomials = polynomialsOf({ context, dealings, qualified: transcript.qualified })
  }

  /** Members that have proven their public share. */
  judge(): ReadonlyMap<MemberIndex, RevealedPoints> {
    const { room } = this.#play
    for (const member of room.board.authors()) {
      for (const { reveal } of room.board.said('reveal', member)) {
        if (this.#judged.has(reveal)) continue
        this.#judged.add(reveal)
        this.#open(reveal)
      }
    }
    return this.#points
  }

  /** From any t of them the same. Throws `DkgError`. */
  result(): CeremonyResult {
    return resultFrom(this.#play.ceremony.context, this.#transcript, this.#points)
  }

  #open(reveal: Reveal): void {
    const { room, ceremony } = this.#play
    const { member } = reveal
    try {
      this.#points.set(member, openReveal(ceremony.context, this.#polynomials, reveal))
    } catch (error) {
      if (!(error instanceof DkgError)) throw error
      room.accuse({
        member,
        rule: 'BAD_REVEAL',
        reason: `member ${member} revealed what it cannot prove: ${error.message} (${error.code})`,
      })
    }
  }
}
