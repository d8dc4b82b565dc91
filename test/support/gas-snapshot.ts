import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import type { ContractTransactionResponse } from 'ethers'

const FILE = 'test/contracts/integration/gas-snapshot.json'
type Figures = Readonly<Record<string, number>>

const kept = (): Figures => JSON.parse(readFileSync(FILE, 'utf8')) as Figures

/** Figures of one test file, compared with those kept in the repository, or kept anew when UPDATE_GAS is set. */
export class GasSnapshot {
  readonly #measured: Record<string, number> = {}

  /** Compares a figure to the unit. */
  check(name: string, figure: number | bigint): void {
    this.#measured[name] = Number(figure)
    if (process.env.UPDATE_GAS !== undefined) return
    assert.equal(Number(figure), kept()[name], `gas of "${name}" changed; when that is meant: npm run gas -- --update`)
  }

  /** Compares the gas of a transaction. */
  async costs(name: string, sending: Promise<ContractTransactionResponse>): Promise<void> {
    this.check(name, (await (await sending).wait())?.gasUsed ?? 0n)
  }

  /** Writes what was measured, when it is to be kept. */
  save(): void {
    if (process.env.UPDATE_GAS === undefined) return
    const figures = Object.entries({ ...kept(), ...this.#measured }).sort(([a], [b]) => (a < b ? -1 : 1))
    writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(figures), null, 2)}\n`)
  }
}
