import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { decryptKeystoreJsonSync, encryptKeystoreJsonSync, Wallet } from 'ethers'
import { bytesToHex } from '../../../../operator/core/parse.ts'
import { blst } from '../../../../operator/protocol/bls/backend.ts'
import { decryptKeystore, readKeystore, stretchPassword, writeKeystore } from '../../../../operator/signer/keystore.ts'
import { passwordFrom } from '../../../../operator/signer/password.ts'
import { openWallet, sealWallet } from '../../../../operator/signer/wallet-file.ts'
import { folderOf, password, scryptCost, withCode } from './support.ts'

const secret = blst.SecretKey.fromKeygen(new Uint8Array(32).fill(7))

// The two test vectors of EIP-2335.
const vectorPassword = '𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑'
const vectorSecret = '0x000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f'
const salt = 'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3'
const vector = (kdf: object, checksum: string, cipher: string) =>
  JSON.stringify({
    crypto: {
      kdf: { ...kdf, message: '' },
      checksum: { function: 'sha256', params: {}, message: checksum },
      cipher: { function: 'aes-128-ctr', params: { iv: '264daa3f303d7259501c93d997d84fe6' }, message: cipher },
    },
    pubkey: '9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07',
    path: 'm/12381/60/3141592653/589793238',
    uuid: '1d85ae20-35c5-4611-98e8-aa14a633906f',
    version: 4,
  })
const vectors = {
  scrypt: vector(
    { function: 'scrypt', params: { dklen: 32, n: 262144, p: 1, r: 8, salt } },
    'd2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484',
    '06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f',
  ),
  pbkdf2: vector(
    { function: 'pbkdf2', params: { dklen: 32, c: 262144, prf: 'hmac-sha256', salt } },
    '8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1',
    'cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad',
  ),
}

describe('EIP-2335 keystores', () => {
  for (const [name, text] of Object.entries(vectors)) {
    it(`open the official ${name} vector`, async () => {
      const opened = await decryptKeystore({ text, password: vectorPassword, path: name })
      assert.equal(bytesToHex(opened.toBytes()), vectorSecret)
      await assert.rejects(decryptKeystore({ text, password: 'testpassword', path: name }), withCode('WRONG_PASSWORD'))
    })
  }

  it('opens with a password that is written in another way but is the same by EIP-2335', async (test) => {
    const path = join(folderOf(test), 'key.json')
    const kdf = { kind: 'scrypt', cost: scryptCost } as const
    await writeKeystore({
      path,
      secret,
      password: await stretchPassword(`${vectorPassword}\u0007\u007f\u0085 ﬁn`, kdf),
      description: 'a key',
    })
    assert.equal((await readKeystore(path, 'testpassword🔑 fin')).toHex(), secret.toHex())
  })

  it('round-trip, readable by the owner only', async (test) => {
    const path = join(folderOf(test), 'key.json')
    for (const kdf of [{ kind: 'pbkdf2' }, { kind: 'scrypt', cost: scryptCost }] as const) {
      await writeKeystore({ path, secret, password: await stretchPassword(password, kdf), description: 'a key' })
      assert.equal((await readKeystore(path, password)).toHex(), secret.toHex())
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.ok(!readFileSync(path, 'utf8').includes(secret.toHex().slice(2)))
    }
  })

  it('refuse a missing, malformed or relabelled file', async (test) => {
    const path = join(folderOf(test), 'key.json')
    await assert.rejects(readKeystore(path, password), withCode('BAD_FILE'))
    writeFileSync(path, '{}')
    await assert.rejects(readKeystore(path, password), withCode('BAD_FILE'))
    await writeKeystore({ path, secret, password: await stretchPassword(password, { kind: 'pbkdf2' }), description: '' })
    const other = blst.SecretKey.fromKeygen(new Uint8Array(32).fill(8)).toPublicKey().toHex().slice(2)
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), pubkey: other }))
    await assert.rejects(readKeystore(path, password), withCode('BAD_FILE'))
  })
})

describe('wallet files', () => {
  const wallet = new Wallet(`0x${'4c'.repeat(32)}`)
  const privateKey = Buffer.from('4c'.repeat(32), 'hex')

  it('open in ethers, and its open here', () => {
    const text = sealWallet({ privateKey, address: wallet.address, password, cost: scryptCost })
    assert.equal(decryptKeystoreJsonSync(text, password).privateKey, wallet.privateKey)
    const theirs = encryptKeystoreJsonSync({ address: wallet.address, privateKey: wallet.privateKey }, password, {
      scrypt: { N: scryptCost, r: 8, p: 1 },
    })
    assert.deepEqual(openWallet({ text: theirs, password, path: 'theirs' }), privateKey)
  })

  it('refuse a wrong password and what is no wallet', () => {
    const text = sealWallet({ privateKey, address: wallet.address, password, cost: scryptCost })
    assert.throws(() => openWallet({ text, password: 'another one', path: 'x' }), withCode('WRONG_PASSWORD'))
    for (const bad of ['', '{}', text.replace(`"n":${scryptCost}`, `"n":${2 ** 30}`)]) {
      assert.throws(() => openWallet({ text: bad, password, path: 'x' }), withCode('BAD_FILE'))
    }
  })
})

describe('passwords', () => {
  it("are a file's first line, or a value", (test) => {
    const file = join(folderOf(test), 'password')
    assert.throws(() => passwordFrom({ file }), withCode('BAD_PASSWORD'))
    writeFileSync(file, `${password}\r\nnot this\n`)
    assert.equal(passwordFrom({ file, value: 'from environment' }), password)
    assert.equal(passwordFrom({ value: 'from environment' }), 'from environment')
    assert.throws(() => passwordFrom({}), withCode('BAD_PASSWORD'))
    assert.throws(() => passwordFrom({ value: 'short' }), withCode('BAD_PASSWORD'))
  })
})
