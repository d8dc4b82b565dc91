import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { openAccount } from '../../../../../deploy/account.ts'
import { openWallet } from '../../../../../operator/adapters/chain/wallet.ts'
import { passwordFrom } from '../../../../../operator/signer/password.ts'

it('a folder, or nothing, in the place of a key or password file is said to be one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'open-pools-wallet-'))
  const file = join(folder, 'file')
  const absent = join(folder, 'absent')
  writeFileSync(file, '{}')
  const key = 'an encrypted key file (Web3 secret storage, as geth and ethers write it)'
  try {
    await assert.rejects(openWallet({ keyFile: folder, passwordFile: file }), {
      code: 'UNREADABLE',
      message: `expected ${key} at ${folder}, there is a folder`,
    })
    await assert.rejects(openWallet({ keyFile: file, passwordFile: folder }), {
      message: `expected a file with the password at ${folder}, there is a folder`,
    })
    await assert.rejects(openWallet({ keyFile: absent, passwordFile: file }), { message: `expected ${key} at ${absent}, there is none` })
    await assert.rejects(openAccount({ keyFile: folder }), { message: `expected a key file at ${folder}, there is a folder` })
    assert.throws(() => passwordFrom({ file: folder }), {
      code: 'BAD_PASSWORD',
      message: `expected a password file at ${folder}, there is a folder`,
    })
    assert.throws(() => passwordFrom({ file: absent }), { message: `expected a password file at ${absent}, there is none` })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
