/** A JSON-RPC error answer, or an answer that is not JSON-RPC. */
export class JsonRpcError extends Error {
  readonly method: string
  readonly code: number
  constructor(args: { readonly method: string; readonly code: number; readonly reason: string }) {
    super(`${args.method} failed with code ${args.code}: ${args.reason}`)
    this.name = 'JsonRpcError'
    this.method = args.method
    this.code = args.code
  }
}

export type JsonRpc = (method: string, params: readonly unknown[]) => Promise<unknown>

const TIMEOUT_MS = 10_000

/** JSON-RPC 2.0 over HTTP. Throws {@link JsonRpcError}, or fetch's own error when nobody listens. */
export function jsonRpc(url: string): JsonRpc {
  let id = 0
  return async (method, params) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const answer = (await response.json()) as { result?: unknown; error?: { code: number; message: string; data?: unknown } }
    if (answer.error !== undefined) {
      const detail = answer.error.data === undefined ? '' : ` (${JSON.stringify(answer.error.data)})`
      throw new JsonRpcError({ method, code: answer.error.code, reason: `${answer.error.message}${detail}` })
    }
    return answer.result
  }
}
