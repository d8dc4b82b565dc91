const TIMEOUT_MS = 5_000

/**
 * Execution and consensus clients are easily mistaken for each other, and what the wrong one answers (some HTTP status) tells
 * nobody why. These two ask what it is; any failure to answer is a no.
 */
export async function servesJsonRpc(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const answer: unknown = await response.json()
    return typeof answer === 'object' && answer !== null && 'result' in answer && /^0x[0-9a-f]+$/i.test(String(answer.result))
  } catch {
    return false
  }
}

export async function servesBeaconApi(url: string): Promise<boolean> {
  try {
    const base = new URL(url)
    base.pathname = `${base.pathname.replace(/\/$/, '')}/eth/v1/beacon/genesis`
    const response = await fetch(base, { headers: { accept: 'application/json' }, signal: AbortSignal.timeout(TIMEOUT_MS) })
    const answer: unknown = await response.json()
    const data = typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : undefined
    return typeof data === 'object' && data !== null && 'genesis_time' in data
  } catch {
    return false
  }
}

/** A URL for people to read: without path, query and user, where providers put their customers' keys. */
const shown = (url: string): string => new URL(url).origin

export const notABeaconNode = (url: string): string =>
  `${shown(url)} is the JSON-RPC endpoint of an execution client; expected the base URL of a beacon node's API, such as http://127.0.0.1:5052`

export const notAnExecutionClient = (url: string): string =>
  `${shown(url)} is the API of a beacon node; expected the JSON-RPC endpoint of an execution client, such as http://127.0.0.1:8545`
