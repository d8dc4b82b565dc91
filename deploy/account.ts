import { readFileSync } from 'node:fs'
import { Wallet } from 'ethers'
import { openWallet } from '../operator/adapters/chain/wallet.ts'
import { unreadable } from '../operator/core/unreadable.ts'
import { DeployError } from './errors.ts'

export type AccountFiles = { readonly keyFile: string; readonly passwordFile?: string }

/**
 * The account that deploys: an encrypted wallet file (Web3 secret storage) with its password, or a file with a bare private key
 * in hex. Throws `DeployError` BAD_ARGUMENT, or `WalletError`.
 */
export async function openAccount({ keyFile, passwordFile }: AccountFiles): Promise<Wallet> {
  const text = readKeyFile(keyFile)
  if (text.startsWith('{')) {
    if (passwordFile !== undefined) return openWallet({ keyFile, passwordFile })
    throw new DeployError('BAD_ARGUMENT', `${keyFile} is encrypted: expected --password-file as well, with a file that holds its password`)
  }
  try {
    return new Wallet(text)
  } catch {
    throw new DeployError(
      'BAD_ARGUMENT',
      `expected ${keyFile} to be an encrypted wallet file (JSON) or to hold a private key of 32 bytes in hex`,
      {
        keyFile,
      },
    )
  }
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (cause) {
    throw new DeployError('BAD_ARGUMENT', unreadable('a key file', file, cause), { file }, { cause })
  }
}
