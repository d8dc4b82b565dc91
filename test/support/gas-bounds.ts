import assert from 'node:assert/strict'

/** Set by scripts/contracts/coverage.ts: code that counts its own steps costs more and is longer, which says nothing of what it counts. */
export const INSTRUMENTED = process.env.COVERAGE_RUN !== undefined

/** Asserts that gas stays below a bound, unless the contracts are instrumented: tests go on then with what they show besides. */
export function withinGas(used: bigint | number | undefined, bound: bigint | number, what = 'it'): void {
  assert.ok(used !== undefined, `${what}: expected a receipt`)
  assert.ok(INSTRUMENTED || used < bound, `${what}: expected less than ${bound} gas, got ${used}`)
}
