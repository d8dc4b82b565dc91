/** Why a life ended: the stage it was in and the reason, for the last line a person reads. */
export class LifeError extends Error {
  readonly stage: string

  constructor(stage: string, reason: string, options?: ErrorOptions) {
    super(reason, options)
    this.name = 'LifeError'
    this.stage = stage
  }
}
