import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { openStore, StoreError } from '../../../../../operator/adapters/store/sqlite.ts'

describe('Store in SQLite', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'open-pools-store-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('keeps texts and bytes over a restart, in a file only its owner reads', () => {
    const path = join(folder, 'deep', 'state.db')
    const store = openStore(path)
    store.put('a', 'k', 'one')
    store.put('a', 'k', 'two')
    store.put('b', 'k', 'other space')
    store.putBytes('a', 'k', Uint8Array.from([1, 2, 3]))
    store.close()
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const again = openStore(path)
    assert.equal(again.get('a', 'k'), 'two')
    assert.equal(again.get('b', 'k'), 'other space')
    assert.deepEqual([...(again.getBytes('a', 'k') ?? [])], [1, 2, 3])
    again.delete('a', 'k')
    assert.equal(again.get('a', 'k'), undefined)
    assert.equal(again.getBytes('a', 'k'), undefined)
    assert.equal(again.get('b', 'k'), 'other space')
    again.close()
  })

  it('lists a space in key order, from a key on', () => {
    const store = openStore(join(folder, 'list.db'))
    for (const key of ['c', 'a', 'd', 'b']) store.put('s', key, key.toUpperCase())
    store.put('t', 'a', 'elsewhere')
    assert.deepEqual(store.list('s'), [
      ['a', 'A'],
      ['b', 'B'],
      ['c', 'C'],
      ['d', 'D'],
    ])
    assert.deepEqual(store.list('s', { from: 'b', limit: 2 }), [
      ['b', 'B'],
      ['c', 'C'],
    ])
    store.close()
  })

  it('changes all or nothing in a transaction, also a nested one', () => {
    const store = openStore(join(folder, 'tx.db'))
    store.put('s', 'k', 'before')
    assert.throws(() =>
      store.transaction(() => {
        store.put('s', 'k', 'after')
        store.transaction(() => store.put('s', 'l', 'inner'))
        throw new Error('no')
      }),
    )
    assert.equal(store.get('s', 'k'), 'before')
    assert.equal(store.get('s', 'l'), undefined)
    assert.equal(
      store.transaction(() => 7),
      7,
    )
    store.close()
  })

  it('refuses values and keys beyond its bounds, files it does not know and files that are none', () => {
    const store = openStore(join(folder, 'bounds.db'))
    const tooLarge = (error: unknown): boolean => error instanceof StoreError && error.code === 'TOO_LARGE'
    assert.throws(() => store.putBytes('s', 'k', new Uint8Array((64 << 20) + 1)), tooLarge)
    assert.throws(() => store.put('s', 'k'.repeat(513), 'v'), tooLarge)
    store.close()
    const newer = join(folder, 'newer.db')
    const db = new DatabaseSync(newer)
    db.exec('PRAGMA user_version = 99')
    db.close()
    assert.throws(
      () => openStore(newer),
      (error: unknown) => error instanceof StoreError && error.code === 'WRONG_VERSION',
    )
    const text = join(folder, 'text.db')
    writeFileSync(text, 'this is no database, but long enough to be looked at as one'.repeat(100))
    assert.throws(
      () => openStore(text),
      (error: unknown) => error instanceof StoreError && error.code === 'CANNOT_OPEN',
    )
  })

  it('has every write that returned before a kill', async () => {
    const path = join(folder, 'kill.db')
    const module = new URL('../../../../../operator/adapters/store/sqlite.ts', import.meta.url).href
    const script = `import(${JSON.stringify(module)}).then(({ openStore }) => {
      const store = openStore(${JSON.stringify(path)})
      for (let i = 0; ; i++) { store.put('s', 'last', String(i)); require('node:fs').writeSync(1, i + '\\n') }
    })`
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    for await (const chunk of child.stdout) {
      output += String(chunk)
      if (output.split('\n').length > 50) child.kill('SIGKILL')
    }
    const reported = Number(output.trimEnd().split('\n').at(-1))
    const store = openStore(path)
    assert.ok(Number(store.get('s', 'last')) >= reported && reported >= 49)
    store.close()
  })
})
