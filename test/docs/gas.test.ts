import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

const snapshot = JSON.parse(readFileSync('test/contracts/integration/gas-snapshot.json', 'utf8')) as Readonly<Record<string, number>>
const rows = readFileSync('docs/gas.md', 'utf8')
  .split('\n\n')
  .filter((part) => part.startsWith('| what | gas |'))
  .flatMap((table) => table.split('\n').filter((line) => line.startsWith('| ')))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, name]) => name !== 'what')
  .map(([, name = '', figure = '', target = '', note = '']) => ({ name, figure: numberOf(figure), target: numberOf(target), note }))

function numberOf(cell: string): number | undefined {
  return cell === '' ? undefined : Number(cell.replaceAll(',', ''))
}

test('the table of gas has every figure of the snapshot, as it is', () => {
  assert.deepEqual(Object.fromEntries(rows.map(({ name, figure }) => [name, figure])), { ...snapshot })
})

test('a figure above its target says why', () => {
  for (const { name, figure = 0, target, note } of rows) if (target !== undefined && figure > target) assert.ok(note.length > 40, name)
})
