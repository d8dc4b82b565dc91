import { readFileSync } from 'node:fs'
import { JsonRpcProvider, Wallet } from 'ethers'
import { OpenPoolsError, reasonOf } from '../../core/errors.ts'

export class WalletError extends OpenPoolsError<'UNREADABLE' | 'NOT_A_KEYSTORE' | 'WRONG_PASSWORD' | 'UNREACHABLE'> {}

const POLL_MS = 250

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new WalletError('UNREADABLE', `expected ${what} at ${path}, but it can't be read: ${reasonOf(cause)}`, { path }, { cause })
  }
}

/**
 * Opens a person's wallet (a staker's, or a producer's cold owner key) from an encrypted Web3 secret storage file.
 * Throws `WalletError` with what to do about it.
 */
export async function openWallet(
  files: { readonly keyFile: string; readonly passwordFile: string },
  provider?: JsonRpcProvider,
): Promise<Wallet> {
  const json = readText(files.keyFile, 'an encrypted key file (Web3 secret storage, as geth and ethers write it)')
  const password = readText(files.passwordFile, 'a file with the password').replace(/\r?\n$/, '')
  if (!json.trimStart().startsWith('{')) {
    throw new WalletError('NOT_A_KEYSTORE', `expected an encrypted key file (JSON) at ${files.keyFile}; encrypt a bare key first`, {
      path: files.keyFile,
    })
  }
  try {
    const wallet = await Wallet.fromEncryptedJson(json, password)
    return new Wallet(wallet.privateKey, provider)
  } catch (cause) {
    const wrong = reasonOf(cause).includes('password')
    throw wrong
      ? new WalletError('WRONG_PASSWORD', `the password in ${files.passwordFile} does not open ${files.keyFile}`, files, { cause })
      : new WalletError('NOT_A_KEYSTORE', `${files.keyFile} is not an encrypted key file: ${reasonOf(cause)}`, files, { cause })
  }
}

/** A provider over one JSON-RPC endpoint that has answered with its chain id. Throws `WalletError`. */
export async function connectProvider(rpcUrl: string): Promise<JsonRpcProvider> {
  let response: unknown
  try {
    const answer = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      signal: AbortSignal.timeout(10_000),
    })
    response = ((await answer.json()) as { readonly result?: unknown }).result
  } catch (cause) {
    throw new WalletError('UNREACHABLE', `no execution client answers at ${rpcUrl}: ${reasonOf(cause)}`, { rpcUrl }, { cause })
  }
  if (typeof response !== 'string')
    throw new WalletError('UNREACHABLE', `${rpcUrl} answers, but not as an Ethereum JSON-RPC endpoint`, { rpcUrl })
  return new JsonRpcProvider(rpcUrl, Number(response), { staticNetwork: true, pollingInterval: POLL_MS, batchMaxCount: 1 })
}
