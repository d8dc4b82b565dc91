import { type AddressInfo, createServer, type Server } from 'node:net'

const listening = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })

/** Throws when something listens at a port already: the execution client would end without a reason. `name` is of its option. */
export async function assertFree({ host, port, name }: { readonly host: string; readonly port: number; readonly name: string }) {
  const server = createServer()
  try {
    await listening(server, host, port)
  } catch (cause) {
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
    const reason = taken ? 'it is taken' : String((cause as Error).message)
    throw new Error(`cannot listen on port ${port} of ${host}: ${reason}; give another ${name}, or 0 for any that is free`, { cause })
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

/** As many different free TCP ports as asked for. They are free now; nothing reserves them. */
export async function freePorts(options: { readonly host: string; readonly count: number }): Promise<number[]> {
  const servers = Array.from({ length: options.count }, () => createServer())
  try {
    return await Promise.all(servers.map((server) => listening(server, options.host, 0)))
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}
