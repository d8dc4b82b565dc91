import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { computeAddress, recoverAddress, Transaction, Wallet } from 'ethers'
import fc from 'fast-check'
import type { Hex } from '../../../../operator/core/ids.ts'
import { toRoot } from '../../../../operator/core/parse.ts'
import { openSigner } from '../../../../operator/signer/open.ts'
import { createOperatorKey, createTransactionSigner, randomOperatorKey } from '../../../../operator/signer/operator-key.ts'
import { databaseOf, newSigner, password, rootOf, withCode } from './support.ts'

const place = { domain: 'QbftMessage', instance: '1/2/3', round: 1, type: 'commit' } as const

describe('operator key', () => {
  it('signs what ecrecover gives back to its address', (test) => {
    const privateKey = randomOperatorKey()
    const key = createOperatorKey(privateKey, databaseOf(test))
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
    const key = createOperatorKey(randomOperatorKey(), databaseOf(test))
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
    const key = createOperatorKey(randomOperatorKey(), database)
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
