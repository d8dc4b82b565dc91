/** Where a validator's priority fees go when nobody has said otherwise. */
const DEFAULT = new Uint8Array(20).fill(0xfe)

/** Fee recipients that validator clients have registered, by validator index. */
export class FeeRecipients {
  readonly #byIndex = new Map<number, Uint8Array>()

  set(validatorIndex: number, address: Uint8Array): void {
    this.#byIndex.set(validatorIndex, address)
  }

  of(validatorIndex: number): Uint8Array {
    return this.#byIndex.get(validatorIndex) ?? DEFAULT
  }
}
