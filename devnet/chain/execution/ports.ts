import { type AddressInfo, createServer } from 'node:net'

/** As many different free TCP ports as asked for. They are free now; nothing reserves them. */
export async function freePorts(options: { readonly host: string; readonly count: number }): Promise<number[]> {
  const servers = Array.from({ length: options.count }, () => createServer())
  try {
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject)
            server.listen(0, options.host, () => resolve((server.address() as AddressInfo).port))
          }),
      ),
    )
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}
