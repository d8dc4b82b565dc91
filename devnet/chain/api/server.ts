import type { AddressInfo } from 'node:net'
import type { Endpoints } from '@lodestar/api'
import { type BeaconApiMethods, registerRoutes } from '@lodestar/api/beacon/server'
import { ApiError, addSszContentTypeParser } from '@lodestar/api/server'
import { fastify } from 'fastify'
import type { Log } from '../log.ts'
import { blockMethods } from './blocks.ts'
import { configMethods } from './config.ts'
import type { ApiContext } from './context.ts'
import { debugMethods } from './debug.ts'
import { IndexedApiError, statusOf } from './errors.ts'
import { eventMethods } from './events.ts'
import { nodeMethods } from './node.ts'
import { poolMethods } from './pool.ts'
import { stateMethods } from './states.ts'
import { validatorMethods } from './validator.ts'

/** A whole state in JSON would not fit in fastify's default of 1 MiB. */
const BODY_LIMIT = 32 * 1024 * 1024

/** Query parameters that are lists, given repeatedly or separated by commas. */
const LISTS = new Set(['id', 'status', 'topics', 'indices', 'state', 'direction'])

function parseQuery(query: string): Record<string, string | string[]> {
  const parsed: Record<string, string | string[]> = {}
  const params = new URLSearchParams(query)
  for (const key of new Set(params.keys())) {
    const values = params.getAll(key)
    parsed[key] = LISTS.has(key) ? values.flatMap((value) => value.split(',')) : (values.at(-1) ?? '')
  }
  return parsed
}

/** Answers 501 for every method of a namespace that is not there. */
function complete<T extends object>(methods: Partial<T>): T {
  const missing = (name: string) => async () => {
    throw new ApiError(501, `${name} is not implemented by this node`)
  }
  return new Proxy(methods, { get: (target, name) => Reflect.get(target, name) ?? missing(String(name)) }) as T
}

function methodsOf(context: ApiContext): BeaconApiMethods {
  const { chain } = context
  const genesis: Partial<BeaconApiMethods['beacon']> = {
    async getGenesis() {
      const { genesisTime, genesisValidatorsRoot } = chain.headState
      const genesisForkVersion = chain.config.GENESIS_FORK_VERSION
      return { data: { genesisTime, genesisValidatorsRoot, genesisForkVersion } }
    },
  }
  return {
    beacon: complete({ ...genesis, ...blockMethods(context), ...stateMethods(context), ...poolMethods(context) }),
    config: configMethods(context),
    debug: complete(debugMethods(context)),
    events: eventMethods(context),
    lightclient: complete({}),
    lodestar: complete({}),
    node: complete(nodeMethods(context)),
    proof: complete({}),
    validator: complete(validatorMethods(context)),
  }
}

const NAMESPACES: (keyof Endpoints)[] = ['beacon', 'config', 'debug', 'events', 'lightclient', 'node', 'proof', 'validator']

/** Serves the standard Beacon API (ethereum/beacon-APIs) over HTTP. */
export async function startApi(options: {
  readonly context: ApiContext
  readonly host: string
  readonly port: number
  readonly log: Log
}): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const server = fastify({
    bodyLimit: BODY_LIMIT,
    // Event streams never end by themselves.
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: 'array' } },
    routerOptions: { querystringParser: parseQuery, maxParamLength: 256 },
  })
  addSszContentTypeParser(server)
  server.addHook('onSend', async (_request, reply) => {
    void reply.header('access-control-allow-origin', '*')
  })
  server.setErrorHandler((error, _request, reply) => {
    const code = statusOf(error)
    const message = error instanceof Error ? error.message : String(error)
    if (code === 500) options.log.error('A request failed', { reason: message, stack: error instanceof Error ? error.stack : undefined })
    void reply.code(code).send({ code, message, ...(error instanceof IndexedApiError ? { failures: error.failures } : {}) })
  })
  server.setNotFoundHandler((request, reply) => {
    void reply.code(404).send({ code: 404, message: `There is no route ${request.method} ${request.url}` })
  })
  registerRoutes(server, options.context.chain.config, methodsOf(options.context), NAMESPACES)
  await server.listen({ host: options.host, port: options.port })
  const { port } = server.server.address() as AddressInfo
  return { url: `http://${options.host}:${port}`, stop: () => server.close() }
}
