import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readBeaconChain } from '../../../../deploy/beacon-facts.ts'
import { loadBeaconSpec } from '../../../../operator/adapters/beacon/spec.ts'
import { ChainRpc } from '../../../../operator/adapters/chain/rpc.ts'
import { connectProvider } from '../../../../operator/adapters/chain/wallet.ts'
import { sendJson, TestServer } from './support/http.ts'

describe('a URL of the other kind', () => {
  const execution = new TestServer((request, response, body) => {
    if (request.method !== 'POST') return void response.writeHead(405).end()
    sendJson(response, { jsonrpc: '2.0', id: JSON.parse(body).id, result: '0x7e7e' })
  })
  const beacon = new TestServer((request, response) => {
    if (request.url === '/eth/v1/beacon/genesis') return sendJson(response, { data: { genesis_time: '1' } })
    sendJson(response, { statusCode: 404, error: 'Not Found' }, 404)
  })
  const neither = new TestServer((_, response) => void response.writeHead(404).end('<html>'))
  const all = [execution, beacon, neither]
  before(() => Promise.all(all.map((server) => server.start())))
  after(() => Promise.all(all.map((server) => server.stop())))

  it('given for the beacon node is named for what it is', async () => {
    const message = /is the JSON-RPC endpoint of an execution client; expected the base URL of a beacon node's API, such as http/
    await assert.rejects(loadBeaconSpec(execution.url), { code: 'WRONG_ENDPOINT', message })
    await assert.rejects(readBeaconChain(execution.url), { code: 'BAD_ARGUMENT', message })
    await assert.rejects(loadBeaconSpec(neither.url), { code: 'NOT_FOUND' })
  })

  it('given for the execution client is named for what it is', async () => {
    const message = /is the API of a beacon node; expected the JSON-RPC endpoint of an execution client, such as http/
    await assert.rejects(ChainRpc.connect({ url: beacon.url }), { code: 'WRONG_ENDPOINT', message })
    await assert.rejects(connectProvider(beacon.url), { code: 'UNREACHABLE', message })
    await assert.rejects(ChainRpc.connect({ url: neither.url }), { code: 'UNREACHABLE' })
    await assert.rejects(connectProvider(neither.url), { message: /answers, but not as the JSON-RPC endpoint/ })
  })

  it('is shown without what may be secret in it', async () => {
    const url = new URL(`${execution.url}/v3/secretkey?token=secretkey`).toString()
    await assert.rejects(loadBeaconSpec(url), (error: Error) => !error.message.includes('secretkey'))
  })
})
