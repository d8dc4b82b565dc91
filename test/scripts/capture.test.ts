import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atLeastOnce, chanceOf, shown } from '../../scripts/support/capture.ts'

/** All sets of `drawn` of `all`, counted one by one; the first `bad` are malicious. */
function counted(all: number, bad: number, drawn: number, least: number): { readonly ways: bigint; readonly of: bigint } {
  let ways = 0n
  let of = 0n
  for (let set = 0; set < 2 ** all; set++) {
    const members = Array.from({ length: all }, (_, i) => i).filter((i) => (set >> i) & 1)
    if (members.length !== drawn) continue
    of++
    if (members.filter((i) => i < bad).length >= least) ways++
  }
  return { ways, of }
}

describe('chances of a captured vault', () => {
  it('are those that counting every vault one by one gives', () => {
    for (const [all, bad, drawn, least] of [
      [10, 3, 4, 3],
      [10, 4, 7, 3],
      [12, 4, 6, 4],
      [11, 2, 4, 3],
      [9, 9, 4, 3],
    ] as const) {
      assert.deepEqual(chanceOf({ all, bad, drawn, least }), counted(all, bad, drawn, least))
    }
  })

  it('of several tries are one less the chance that none succeeds', () => {
    assert.deepEqual(atLeastOnce({ ways: 1n, of: 6n }, 4), { ways: 671n, of: 1296n })
    assert.deepEqual(atLeastOnce({ ways: 0n, of: 6n }, 13).ways, 0n)
  })

  it('are shown rounded half up, and 0 and 1 only when they are', () => {
    const cases = { '0': [0n, 7n], '1': [7n, 7n], '> 99 %': [999n, 1000n], '99 %': [99n, 100n], '1 %': [1n, 100n] } as const
    for (const [text, [ways, of]] of Object.entries(cases)) assert.equal(shown({ ways, of }), text)
    assert.equal(shown({ ways: 37n, of: 10_000n }), '3.7e-3')
    assert.equal(shown({ ways: 9_949n, of: 10_000_000n }), '9.9e-4')
    assert.equal(shown({ ways: 9_950n, of: 10_000_000n }), '1.0e-3')
    assert.equal(shown({ ways: 1n, of: 10n ** 60n }), '1.0e-60')
  })
})
