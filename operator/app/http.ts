import fastify from 'fastify'
import { OpenPoolsError, reasonOf } from '../core/errors.ts'
import type { NodeMetrics } from './metrics.ts'
import type { OperatorStatus } from './status.ts'

export class HttpError extends OpenPoolsError<'CANNOT_LISTEN'> {}

export type HttpServer = { close(): Promise<void> }

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Serves /health (the process lives; 200 as long as it answers), /status (JSON, `OperatorStatus`) and /metrics (Prometheus).
 * Read only, and nothing secret. Throws `HttpError` when the port is taken.
 */
export async function startHttp(options: {
  readonly host: string
  readonly port: number
  readonly status: () => OperatorStatus
  readonly metrics: NodeMetrics
}): Promise<HttpServer> {
  const { host, port, status, metrics } = options
  const server = fastify({ logger: false, forceCloseConnections: true })
  server.get('/health', () => ({ alive: true, state: status().state }))
  server.get('/status', () => status())
  server.get('/metrics', async (_request, reply) => reply.type(PROMETHEUS).send(await metrics.expose(status())))
  try {
    await server.listen({ host, port })
  } catch (cause) {
    throw new HttpError('CANNOT_LISTEN', `cannot serve HTTP on ${host}:${port}: ${reasonOf(cause)}`, { host, port }, { cause })
  }
  return { close: () => server.close() }
}
