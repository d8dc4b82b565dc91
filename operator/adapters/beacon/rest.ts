import { fetchReasonOf } from '../../core/errors.ts'
import { BeaconError } from '../../core/ports/beacon.ts'

export type RestRequest = { readonly url: string; readonly path: string; readonly timeoutMs: number }

/** Joins a base URL (which may hold a path, a token or a query) with an API path. Throws `BeaconError` MALFORMED. */
export function endpoint(url: string, path: string): URL {
  if (!URL.canParse(url)) throw new BeaconError('MALFORMED', `expected the beacon node's URL, got ${url}`, { url })
  const joined = new URL(url)
  const [pathname = '', query] = path.split('?')
  joined.pathname = `${joined.pathname.replace(/\/$/, '')}${pathname}`
  if (query !== undefined) joined.search = query
  return joined
}

/**
 * The `data` of a JSON answer, without Lodestar (whose preset is not set yet when this is first used). Throws
 * `BeaconError`, or the signal's reason when the caller aborted.
 */
export async function getData({ url, path, timeoutMs }: RestRequest, signal?: AbortSignal): Promise<unknown> {
  const timeout = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(endpoint(url, path), {
      headers: { accept: 'application/json' },
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    const text = await response.text()
    if (!response.ok) throw refusal({ path, status: response.status, detail: text })
    return dataOf(path, text)
  } catch (error) {
    if (error instanceof BeaconError) throw error
    signal?.throwIfAborted()
    if (timeout.aborted)
      throw new BeaconError('TIMEOUT', `${path}: no answer within ${timeoutMs} ms`, { path, timeoutMs }, { cause: error })
    throw unreachable(path, error)
  }
}

/** What an HTTP error status means. */
export function refusal({
  path,
  status,
  detail,
}: {
  readonly path: string
  readonly status: number
  readonly detail: string
}): BeaconError {
  const code = status === 404 ? 'NOT_FOUND' : 'REFUSED'
  return new BeaconError(code, `${path}: the beacon node answered ${status}: ${detail.slice(0, 300)}`, { path, status })
}

/** A request that failed below HTTP. */
export function unreachable(path: string, error: unknown): BeaconError {
  return new BeaconError('UNREACHABLE', `${path}: the beacon node does not answer: ${fetchReasonOf(error)}`, { path }, { cause: error })
}

function dataOf(path: string, text: string): unknown {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && 'data' in body) return body.data
  } catch {
    // Falls through: whatever it was, it was not the JSON that was asked for.
  }
  throw new BeaconError('MALFORMED', `${path}: expected JSON with a data field, got ${text.slice(0, 120)}`, { path })
}
