import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { computeAddress, recoverAddress, Transaction, Wallet } from 'ethers'
import fc from 'fast-check'
import type { Hex, Slot } from '../../../../operator/core/ids.ts'
import { toRoot } from '../../../../operator/core/parse.ts'
import { openAnnouncements } from '../../../../operator/signer/announcements.ts'
import type { ProtectionDatabase } from '../../../../operator/signer/database.ts'
import { openSigner } from '../../../../operator/signer/open.ts'
import { createOperatorKey, createTransactionSigner, randomOperatorKey } from '../../../../operator/signer/operator-key.ts'
import { databaseOf, newSigner, password, rootOf, withCode } from './support.ts'

/** SQLite's levels. */
const [NORMAL, FULL] = [1, 2]
const place = { domain: 'QbftMessage', instance: '1/2/3', round: 1, type: 'commit' } as const

function keyOn(database: ProtectionDatabase, privateKey = randomOperatorKey(), boot = 'this boot') {
  return createOperatorKey(privateKey, database, openAnnouncements(database, boot))
}

describe('operator key', () => {
  it('signs what ecrecover gives back to its address', (test) => {
    const privateKey = randomOperatorKey()
    const key = keyOn(databaseOf(test), privateKey)
    assert.equal(key.address, computeAddress(`0x${privateKey.toString('hex')}`).toLowerCase())
    let round = 0
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const digest = toRoot(`0x${Buffer.from(bytes).toString('hex')}`)
        const signature = key.signOnce({ ...place, round: round++ }, digest)
        assert.equal(recoverAddress(digest, signature).toLowerCase(), key.address)
      }),
      { numRuns: 20 },
    )
  })

  it('signs once for each place, the same again, never another', (test) => {
    const key = keyOn(databaseOf(test))
    const first = key.signOnce(place, rootOf(1))
    assert.equal(key.signOnce(place, rootOf(1)), first)
    assert.throws(() => key.signOnce(place, rootOf(2)), withCode('CONFLICTING_MESSAGE'))
    for (const other of [{ domain: 'Dealing' }, { instance: '1/2/4' }, { round: 2 }, { type: 'prepare' }]) {
      key.signOnce({ ...place, ...other }, rootOf(2))
    }
    assert.throws(() => key.signOnce(place, rootOf(2)), withCode('CONFLICTING_MESSAGE'))
  })

  it('keeps all that was said together, or none of it', (test) => {
    const database = databaseOf(test)
    const key = keyOn(database)
    key.together(() => [key.signOnce(place, rootOf(1)), key.signOnce({ ...place, round: 2 }, rootOf(1))])
    assert.equal(key.recall(place.domain, place.instance).length, 2)
    const failing = (): unknown =>
      key.together(() => {
        key.signOnce({ ...place, round: 3 }, rootOf(1))
        try {
          database.record(() => database.prepare('INSERT INTO meta VALUES (?, ?)').run('id', 'twice'))
        } catch {
          // The work goes on as if nothing had happened.
        }
        return 'done'
      })
    assert.throws(failing, withCode('PROTECTION_LOST'))
    assert.equal(key.recall(place.domain, place.instance).length, 2)
    key.signOnce({ ...place, round: 3 }, rootOf(2))
  })

  it('remembers through a restart, with what was recorded beside it', async (test) => {
    const { dataDir, signer } = await newSigner(test)
    const body = randomBytes(300)
    const signature = signer.operatorKey.signOnce(place, rootOf(1), body)
    signer.operatorKey.signOnce({ ...place, type: 'prepare' }, rootOf(3))
    signer.close()
    const again = await openSigner({ dataDir, password })
    test.after(() => again.close())
    assert.throws(() => again.operatorKey.signOnce(place, rootOf(2)), withCode('CONFLICTING_MESSAGE'))
    assert.equal(again.operatorKey.signOnce(place, rootOf(1)), signature)
    const said = again.operatorKey.recall(place.domain, place.instance).toSorted((a, b) => a.type.localeCompare(b.type))
    assert.deepEqual(
      said.map(({ round, type, digest, body: recorded }) => ({ round, type, digest, body: Buffer.from(recorded) })),
      [
        { round: 1, type: 'commit', digest: rootOf(1), body },
        { round: 1, type: 'prepare', digest: rootOf(3), body: Buffer.alloc(0) },
      ],
    )
    assert.deepEqual(again.operatorKey.recall(place.domain, 'another'), [])
  })
})

describe('announced slots', () => {
  const said = (slot: number, round = 1) => ({ ...place, instance: `1/${slot}/3`, round, slot: slot as Slot })

  it('are spoken in after a restart as before it', (test) => {
    const [database, privateKey] = [databaseOf(test), randomOperatorKey()]
    const key = keyOn(database, privateKey)
    key.announce(7 as Slot)
    const signature = key.signOnce(said(7), rootOf(1))
    const again = keyOn(database, privateKey)
    assert.equal(again.signOnce(said(7), rootOf(1)), signature)
    assert.throws(() => again.signOnce(said(7), rootOf(2)), withCode('CONFLICTING_MESSAGE'))
    again.signOnce(said(7, 2), rootOf(2))
  })

  it('hear nothing new once the machine has stopped, also after it has been started twice', (test) => {
    const [database, privateKey] = [databaseOf(test), randomOperatorKey()]
    const key = keyOn(database, privateKey)
    key.announce(7 as Slot)
    const signature = key.signOnce(said(7), rootOf(1))
    for (const boot of ['second', 'second', 'third']) {
      const after = keyOn(database, privateKey, boot)
      for (const slot of [3, 7]) assert.throws(() => after.signOnce(said(slot, 2), rootOf(1)), withCode('RECORDS_LOST'))
      assert.equal(after.signOnce(said(7), rootOf(1)), signature)
      after.announce(9 as Slot)
      after.announce(5 as Slot)
    }
    assert.throws(() => keyOn(database, privateKey, 'third').signOnce(said(9), rootOf(1)), withCode('RECORDS_LOST'))
    keyOn(database, privateKey, 'third').signOnce(said(10), rootOf(1))
    keyOn(database, privateKey, 'third').signOnce({ ...place, instance: '1/7/5' }, rootOf(1))
  })

  it('are none where the system does not tell when it was started: all is synced, and said', (test) => {
    const [database, privateKey] = [databaseOf(test), randomOperatorKey()]
    const announcements = openAnnouncements(database, undefined)
    announcements.announce(7 as Slot)
    assert.equal(announcements.covers(7 as Slot), false)
    keyOn(database, privateKey, 'once known').announce(7 as Slot)
    assert.equal(openAnnouncements(database, undefined).mayHaveLost(7 as Slot), true)
  })

  it('are not synced again; what is said of others is, and with it all before', (test) => {
    const database = databaseOf(test)
    const levels: unknown[] = []
    const level = (): number => levels.push(database.prepare('PRAGMA synchronous').get()?.synchronous)
    const key = keyOn(database)
    key.announce(7 as Slot)
    level()
    key.together(() => {
      key.signOnce(said(7), rootOf(1))
      level()
    }, 7 as Slot)
    key.signOnce(said(7, 2), rootOf(1))
    level()
    database.record(level)
    key.signOnce(said(6), rootOf(1))
    key.signOnce(said(8), rootOf(1))
    level()
    assert.deepEqual(levels, [FULL, NORMAL, NORMAL, FULL, FULL])
  })

  it('take no record along that must be synced', (test) => {
    const database = databaseOf(test)
    const key = keyOn(database)
    key.announce(7 as Slot)
    const mixed = (): unknown => key.together(() => [key.signOnce(said(7), rootOf(1)), key.signOnce(place, rootOf(1))], 7 as Slot)
    assert.throws(mixed, withCode('PROTECTION_LOST'))
    assert.deepEqual(key.recall(place.domain, said(7).instance), [])
  })
})

describe('transaction signer', () => {
  it('signs as an ethers wallet with the same key does', async () => {
    const privateKey = randomOperatorKey()
    const wallet = new Wallet(`0x${privateKey.toString('hex')}`)
    const fields = {
      chainId: 7n,
      nonce: 3,
      gasLimit: 21000n,
      maxFeePerGas: 9n,
      maxPriorityFeePerGas: 1n,
      to: wallet.address,
      value: 5n,
      type: 2,
    }
    const signer = createTransactionSigner(privateKey)
    const raw = signer.signTransaction(Transaction.from(fields).unsignedSerialized as Hex)
    assert.equal(raw, await wallet.signTransaction(fields))
    assert.equal(signer.address, wallet.address.toLowerCase())
  })
})
