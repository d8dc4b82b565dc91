import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { NetworkConnection } from 'hardhat/types/network'

type Question = { readonly id: number; readonly method: string; readonly params?: unknown[] }

/** Serves a simulated chain over JSON-RPC, for programs that connect by a URL. */
export async function serveRpc({ provider }: Pick<NetworkConnection, 'provider'>): Promise<{ readonly url: string; close(): void }> {
  const answer = async ({ id, method, params = [] }: Question): Promise<object> => {
    try {
      return { jsonrpc: '2.0', id, result: await provider.request({ method, params }) }
    } catch (error) {
      const { message, data } = error as { readonly message: string; readonly data?: unknown }
      // As execution clients tell a revert: code 3, and its data as they are.
      const revert = typeof data === 'object' && data !== null && 'data' in data ? data.data : data
      return { jsonrpc: '2.0', id, error: { code: 3, message, data: revert } }
    }
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as Question | Question[]
    const body = Array.isArray(asked) ? await Promise.all(asked.map(answer)) : await answer(asked)
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  }
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
