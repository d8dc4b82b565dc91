import { readFileSync } from 'node:fs'
import { JsonRpcProvider, Wallet } from 'ethers'
import { fetchReasonOf, OpenPoolsError, reasonOf } from '../../core/errors.ts'
import { unreadable } from '../../core/unreadable.ts'
import { notAnExecutionClient, servesBeaconApi } from '../endpoint-kinds.ts'

export class WalletError extends OpenPoolsError<'UNREADABLE' | 'NOT_A_KEYSTORE' | 'WRONG_PASSWORD' | 'UNREACHABLE' | 'TOO_LITTLE'> {}

const POLL_MS = 250
const TIMEOUT_MS = 10_000

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new WalletError('UNREADABLE', unreadable(what, path, cause), { path }, { cause })
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
    const given = password === '' ? `${files.passwordFile} is empty: an empty password` : `the password in ${files.passwordFile}`
    throw wrong
      ? new WalletError('WRONG_PASSWORD', `${given} does not open ${files.keyFile}`, files, { cause })
      : new WalletError('NOT_A_KEYSTORE', `${files.keyFile} is not an encrypted key file (Web3 secret storage)`, files, { cause })
  }
}

/** A provider over one JSON-RPC endpoint that has answered with its chain id. Throws `WalletError`. */
export async function connectProvider(rpcUrl: string): Promise<JsonRpcProvider> {
  const chainId = await chainIdOf(rpcUrl)
  if (chainId !== undefined) {
    return new JsonRpcProvider(rpcUrl, Number(chainId), { staticNetwork: true, pollingInterval: POLL_MS, batchMaxCount: 1 })
  }
  const reason = (await servesBeaconApi(rpcUrl))
    ? notAnExecutionClient(rpcUrl)
    : `${rpcUrl} answers, but not as the JSON-RPC endpoint of an execution client`
  throw new WalletError('UNREACHABLE', reason, { rpcUrl })
}

/** Undefined when somebody answers, but not with a chain id. Throws `WalletError` when nobody does. */
async function chainIdOf(rpcUrl: string): Promise<string | undefined> {
  let text: string
  try {
    const response = await fetch(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    text = await response.text()
  } catch (cause) {
    throw new WalletError('UNREACHABLE', `no execution client answers at ${rpcUrl}: ${fetchReasonOf(cause)}`, { rpcUrl }, { cause })
  }
  try {
    const { result } = JSON.parse(text) as { readonly result?: unknown }
    return typeof result === 'string' ? result : undefined
  } catch {
    return undefined
  }
}
