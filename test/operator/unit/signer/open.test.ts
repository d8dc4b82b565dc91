import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { verifySignature } from '../../../../operator/protocol/bls/signatures.ts'
import { createSigner, openSigner, publicKeysOf } from '../../../../operator/signer/open.ts'
import { folderOf, newSigner, password, rootOf, scryptCost, withCode } from './support.ts'

const place = { domain: 'QbftMessage', instance: 'i', round: 1, type: 'commit' } as const

describe('key folder', () => {
  it('is made once, private, and opened again with the same keys', async (test) => {
    const { dataDir, signer } = await newSigner(test)
    await assert.rejects(createSigner({ dataDir, password, scryptCost }), withCode('KEYS_EXIST'))
    const message = rootOf(9)
    assert.ok(verifySignature(signer.signingKey.publicKey, message, signer.signingKey.sign(message)))
    assert.deepEqual(publicKeysOf(dataDir), { operatorAddress: signer.operatorKey.address, signingKey: signer.signingKey.publicKey })
    assert.equal(signer.transactionSigner.address, signer.operatorKey.address)
    signer.close()
    const again = await openSigner({ dataDir, password })
    assert.equal(again.signingKey.publicKey, signer.signingKey.publicKey)
    again.close()
    const folder = join(dataDir, 'signer')
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    for (const name of ['operator-key.json', 'signing-key.json', 'manifest.json', 'protection.sqlite']) {
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
    }
    assert.deepEqual(
      readdirSync(dataDir).filter((name) => name !== 'signer'),
      [],
    )
  })

  it('keeps others from the records that it is writing, also from those of a file that they could read', async (test) => {
    const { dataDir, signer } = await newSigner(test)
    const database = join(dataDir, 'signer', 'protection.sqlite')
    const modes = () => [database, `${database}-wal`].map((file) => statSync(file).mode & 0o777)
    signer.operatorKey.signOnce(place, rootOf(1))
    assert.deepEqual(modes(), [0o600, 0o600])
    signer.close()
    chmodSync(database, 0o644)
    const again = await openSigner({ dataDir, password })
    again.operatorKey.signOnce({ ...place, round: 2 }, rootOf(1))
    assert.deepEqual(modes(), [0o600, 0o600])
    again.close()
  })

  it('needs its keys and its password', async (test) => {
    await assert.rejects(openSigner({ dataDir: folderOf(test), password }), withCode('NO_KEYS'))
    const { dataDir, signer } = await newSigner(test)
    signer.close()
    await assert.rejects(openSigner({ dataDir, password: 'not the password' }), withCode('WRONG_PASSWORD'))
    const again = await openSigner({ dataDir, password })
    again.close()
  })

  it('serves one process at a time', async (test) => {
    const { dataDir, signer } = await newSigner(test)
    await assert.rejects(openSigner({ dataDir, password }), withCode('FOLDER_IN_USE'))
    const module = fileURLToPath(new URL('../../../../operator/signer/open.ts', import.meta.url))
    const script = `import { openSigner } from ${JSON.stringify(module)}
      await openSigner({ dataDir: ${JSON.stringify(dataDir)}, password: ${JSON.stringify(password)} }).then(() => console.log('opened'), error => console.log(error.code))`
    const run = () => promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script])
    assert.equal((await run()).stdout.trim(), 'FOLDER_IN_USE')
    signer.close()
    assert.equal((await run()).stdout.trim(), 'opened')
  })
})

describe('losing the database of signing records', () => {
  it('stops the node from starting, and nothing makes a new one', async (test) => {
    const { dataDir, signer } = await newSigner(test)
    signer.operatorKey.signOnce(place, rootOf(1))
    signer.close()
    const database = join(dataDir, 'signer', 'protection.sqlite')
    rmSync(database)
    await assert.rejects(openSigner({ dataDir, password }), withCode('PROTECTION_LOST'))
    await assert.rejects(openSigner({ dataDir, password }), withCode('PROTECTION_LOST'))
  })

  it('refuses the database of another key folder, or a file that is none', async (test) => {
    const [one, other] = [await newSigner(test), await newSigner(test)]
    one.signer.close()
    other.signer.close()
    const database = join(one.dataDir, 'signer', 'protection.sqlite')
    copyFileSync(join(other.dataDir, 'signer', 'protection.sqlite'), database)
    await assert.rejects(openSigner({ dataDir: one.dataDir, password }), withCode('PROTECTION_LOST'))
    copyFileSync(join(one.dataDir, 'signer', 'manifest.json'), database)
    await assert.rejects(openSigner({ dataDir: one.dataDir, password }), withCode('PROTECTION_LOST'))
  })

  it('stops a running node from signing anything new', async (test) => {
    const { dataDir, signer } = await newSigner(test)
    test.after(() => signer.close())
    signer.operatorKey.signOnce(place, rootOf(1))
    const database = join(dataDir, 'signer', 'protection.sqlite')
    renameSync(database, `${database}.moved`)
    assert.throws(() => signer.operatorKey.signOnce({ ...place, round: 2 }, rootOf(1)), withCode('PROTECTION_LOST'))
    copyFileSync(`${database}.moved`, database)
    assert.throws(() => signer.operatorKey.signOnce({ ...place, round: 2 }, rootOf(1)), withCode('PROTECTION_LOST'))
    rmSync(database)
    renameSync(`${database}.moved`, database)
    signer.operatorKey.signOnce({ ...place, round: 2 }, rootOf(1))
  })
})
