import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Interface, type InterfaceAbi } from 'ethers'
import { CONTRACT_ORDER, type ContractName } from '../../deploy/plan.ts'
import * as bindings from '../../typechain-types/index.ts'

const DIRECTORY = 'docs/contracts'
/** Contracts whose names in a deployment are not their own. */
const NAMES: Partial<Record<ContractName, string>> = { stakerVault: 'WithdrawalVault', bondVault: 'WithdrawalVault', views: 'NetworkViews' }
const nameOf = (key: ContractName) => NAMES[key] ?? `${key.charAt(0).toUpperCase()}${key.slice(1)}`
const CONTRACTS = [...new Set(CONTRACT_ORDER.map(nameOf))]
/** OpenZeppelin's EIP712 declares it; our domains never change. */
const NEVER_EMITTED = 'EIP712DomainChanged'

function interfaceOf(name: string): Interface {
  const factory = Object.entries(bindings).find(([key]) => key === `${name}__factory`)?.[1] as { readonly abi: InterfaceAbi } | undefined
  if (factory === undefined) throw new Error(`expected bindings of ${name}`)
  return new Interface(factory.abi)
}

const quoted = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '')

test('every deployed contract has its page, and no page is of another', () => {
  assert.deepEqual(readdirSync(DIRECTORY).sort(), CONTRACTS.map((name) => `${name}.md`).sort())
})

for (const name of CONTRACTS) {
  test(`the page of ${name} names all that changes its state and all its events, and nothing that is not there`, () => {
    const page = readFileSync(`${DIRECTORY}/${name}.md`, 'utf8')
    const contract = interfaceOf(name)
    for (const part of ['# ', '**Holds**', '| call | who |', '```mermaid', '**Invariants**', '**Events**']) {
      assert.ok(page.includes(part), `expected ${part}`)
    }
    const calls = page.split('\n').flatMap((line) => (line.startsWith('| `') ? quoted(line.split('|')[1] ?? '') : []))
    const functions = new Map<string, boolean>()
    contract.forEachFunction((one) => functions.set(one.name, one.constant))
    const changing = [...functions].flatMap(([one, isView]) => (isView ? [] : [one]))
    assert.deepEqual(new Set(calls).size, calls.length, 'each function once')
    assert.deepEqual(
      calls.filter((call) => !functions.has(call)),
      [],
      'functions that are not there',
    )
    assert.deepEqual(
      changing.filter((call) => !calls.includes(call)),
      [],
      'functions left out',
    )
    const listed = quoted(page.split('\n').find((line) => line.startsWith('**Events**')) ?? '')
    const events: string[] = []
    contract.forEachEvent((event) => events.push(event.name))
    assert.deepEqual(listed.sort(), events.filter((event) => event !== NEVER_EMITTED).sort())
  })
}
