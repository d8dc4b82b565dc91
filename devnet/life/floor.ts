/** Durations that decide how long a life must take, in epochs unless named otherwise. */
export type FloorInputs = {
  readonly slotsPerEpoch: number
  readonly firstPeriod: number
  readonly seedDelay: number
  readonly reportEpochs: number
  readonly disputeDuration: number
  readonly maxLiquidationExecution: number
  /** Epochs the beacon chain needs to let all top-ups through its churn. */
  readonly churnEpochs: number
  readonly countedAttestations: number
  readonly rotationMargin: number
  /** Of a pool by its new vault. */
  readonly attestationsAfterHandover: number
  /** Slots from an exit's inclusion to the ETH at its address, as the beacon chain has it. */
  readonly exitToWithdrawnSlots: number
}

export type Wait = { readonly name: string; readonly slots: number }

/** Epochs from a block until a checkpoint that covers it is final, at best. */
const FINALITY_EPOCHS = 3
/** Epochs from a credited top-up to activation: effective balance, eligibility and its finality, the seed lookahead. */
const ACTIVATION_EPOCHS = 4
const GRACE_EPOCHS = 2

/**
 * The waits of a life that no implementation can avoid, on an ideal timeline: every transaction lands in the slot after it
 * could first be sent, nothing else takes time. Each is a rule of the beacon chain or of the protocol.
 */
export function unavoidableWaits(inputs: FloorInputs): readonly Wait[] {
  const { slotsPerEpoch: epoch } = inputs
  const waits: Wait[] = []
  let now = 0
  const wait = (name: string, until: number): void => {
    waits.push({ name, slots: Math.max(0, until - now) })
    now = Math.max(now, until)
  }
  const epochOf = (slot: number): number => Math.floor(slot / epoch)
  const startAfter = (slot: number, epochs: number): number => (epochOf(slot) + epochs) * epoch
  // A seed epoch starts at least `seedDelay` epochs after the request, and is known when it has ended.
  const seedKnown = (slot: number): number => (Math.ceil(slot / epoch + inputs.seedDelay) + 1) * epoch
  const transaction = (): void => wait('transaction', now + 1)

  wait('first period', inputs.firstPeriod * epoch)
  transaction()
  wait('seed of the vaults', seedKnown(now))
  transaction()
  wait('finality of the draw', startAfter(now, FINALITY_EPOCHS))
  transaction()
  wait('first deposit credited', startAfter(now, FINALITY_EPOCHS))
  transaction()
  wait('top-up credited', startAfter(now, FINALITY_EPOCHS))
  wait('deposit churn', now + inputs.churnEpochs * epoch)
  wait('activation', now + ACTIVATION_EPOCHS * epoch)
  wait('grace', now + GRACE_EPOCHS * epoch)
  // A member asks to leave as the counting begins, one slot later the handover is asked for.
  const draw = seedKnown(now + 2) + 1
  const handover = startAfter(draw, FINALITY_EPOCHS) + 1
  const cutover = startAfter(handover, inputs.rotationMargin + 1)
  wait('counted attestations', now + inputs.countedAttestations * epoch)
  wait('handover of a pool', cutover + inputs.attestationsAfterHandover * epoch)
  transaction()
  wait('seed of the first liquidation', seedKnown(now))
  transaction()
  wait('seed of the second liquidation', seedKnown(now))
  transaction()
  wait('deadline of the exit', startAfter(now, inputs.maxLiquidationExecution))
  transaction()
  wait('exit and withdrawal', now + inputs.exitToWithdrawnSlots)
  const grid = inputs.reportEpochs * epoch
  wait('report grid', Math.ceil(now / grid) * grid)
  wait('finality of the reference', now + (FINALITY_EPOCHS - 1) * epoch)
  transaction()
  wait('dispute window', now + inputs.disputeDuration * epoch)
  transaction()
  return waits
}
