import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { NetworkConnection } from 'hardhat/types/network'

type Request = { readonly id: number; readonly method: string; readonly params?: readonly unknown[] }

/** An in-process chain as a JSON-RPC server on a free port, so that another one can be forked from it. */
export async function serveChain(connection: NetworkConnection): Promise<{ readonly url: string; readonly close: () => void }> {
  const answer = async ({ id, method, params = [] }: Request) => {
    try {
      return { jsonrpc: '2.0', id, result: await connection.provider.request({ method, params: [...params] }) }
    } catch (error) {
      return { jsonrpc: '2.0', id, error: { code: -32_000, message: String(error) } }
    }
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const asked = JSON.parse(Buffer.concat(chunks).toString()) as Request | readonly Request[]
      const told = Array.isArray(asked) ? await Promise.all(asked.map(answer)) : await answer(asked as Request)
      response.setHeader('content-type', 'application/json').end(JSON.stringify(told))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
