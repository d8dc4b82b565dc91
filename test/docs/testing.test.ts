import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import results from '../contracts/mutation/results.json' with { type: 'json' }
import reasons from '../contracts/mutation/survivors.json' with { type: 'json' }

const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
const verdicts = (wanted: string) => results.mutants.filter(({ verdict }) => verdict === wanted)

test('the page of tests tells what the run of mutants found', () => {
  const { seed, possible, chosen, tried, killed, survived, percent } = results
  assert.equal(results.mutants.length, tried)
  assert.deepEqual([verdicts('killed').length, verdicts('survived').length], [killed, survived])
  for (const figure of [`seed ${seed}`, `${possible}`, `${chosen}`, `${tried}`, `${killed} of ${killed + survived}`, `${percent} %`]) {
    assert.ok(page.includes(figure), `docs/testing.md should say ${figure}`)
  }
})

test('every mutant that lived has the reason that is written down for it', () => {
  const written = new Map(Object.entries(reasons))
  for (const mutant of verdicts('survived')) {
    assert.equal('reason' in mutant ? mutant.reason : undefined, written.get(mutant.id), mutant.id)
  }
})
