import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { peerIdOfSeed } from '../../../../../operator/adapters/p2p/identity.ts'
import { startNetwork } from '../../../../../operator/adapters/p2p/network.ts'
import { Dialable, type Reach, reachOf } from '../../../../../operator/adapters/p2p/reach.ts'
import { toProducerId } from '../../../../../operator/core/parse.ts'
import { recordingLog } from '../support/log.ts'
import { until } from '../support/wait.ts'

const ID = await peerIdOfSeed(new Uint8Array(32).fill(7))
const at = (host: string) => multiaddr(`/${host}/tcp/9000/p2p/${ID}`)

describe('where a node may dial', () => {
  it('knows the classes of addresses, in every way of writing them', () => {
    const cases: Readonly<Record<Reach, readonly string[]>> = {
      public: ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8'],
      loopback: ['127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
      linkLocal: ['169.254.169.254', 'fe80::1', '::ffff:169.254.169.254'],
      private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1', '::ffff:10.0.0.1'],
      never: ['0.0.0.0', '::', '224.0.0.1', '255.255.255.255', 'ff02::1', '64:ff9b::7f00:1', '2002:7f00:1::', 'localhost', ''],
    }
    for (const [reach, addresses] of Object.entries(cases)) for (const ip of addresses) assert.equal(reachOf(ip), reach, ip)
  })

  it('is public, and what the node’s own addresses are of', async () => {
    const dialable = new Dialable(async (host) => (host === 'inside.example' ? ['10.0.0.9', '8.8.4.4'] : ['127.0.0.1']))
    const own = {
      anywhere: [multiaddr('/ip4/0.0.0.0/tcp/9000')],
      home: [multiaddr('/ip4/127.0.0.1/tcp/9000')],
      lan: [multiaddr('/ip4/10.1.1.1/tcp/9000')],
    }
    const targets = async (host: string, of: keyof typeof own) => (await dialable.targets(at(host), own[of])).map(String)
    for (const host of ['ip4/127.0.0.1', 'ip4/10.0.0.1', 'ip4/169.254.169.254', 'ip6/::1', 'dns4/rebound.example', 'dns/rebound.example']) {
      assert.deepEqual(await targets(host, 'anywhere'), [], host)
    }
    assert.deepEqual(await targets('ip4/8.8.8.8', 'anywhere'), [String(at('ip4/8.8.8.8'))])
    assert.deepEqual(await targets('ip4/127.0.0.1', 'home'), [String(at('ip4/127.0.0.1'))])
    assert.deepEqual(await targets('ip4/127.0.0.1', 'lan'), [])
    assert.deepEqual(await targets('ip4/10.0.0.1', 'lan'), [String(at('ip4/10.0.0.1'))])
    // What a name resolves to is judged, and dialed as it was judged.
    assert.deepEqual(await targets('dns4/inside.example', 'anywhere'), [String(at('ip4/8.8.4.4'))])
    assert.deepEqual(await targets('dns4/rebound.example', 'home'), [String(at('ip4/127.0.0.1'))])
    assert.deepEqual(await targets('dns6/rebound.example', 'home'), [])
  })

  it('is not inside the operator’s own machine, whatever a producer registers', async () => {
    const knocks: string[] = []
    const inside = createServer((socket) => void knocks.push(String(socket.remotePort))).listen(0, '127.0.0.1')
    await once(inside, 'listening')
    const { port } = inside.address() as AddressInfo
    const log = recordingLog()
    const self = toProducerId(1)
    const network = await startNetwork({ self, seed: new Uint8Array(32).fill(1), listen: ['/ip4/0.0.0.0/tcp/0'], log })
    const hosts = ['ip4/127.0.0.1', 'dns4/localhost', 'ip6/::ffff:127.0.0.1']
    const peers = await Promise.all(
      hosts.map(async (host, place) => {
        const id = await peerIdOfSeed(new Uint8Array(32).fill(place + 2))
        return { producer: toProducerId(place + 2), address: `/${host}/tcp/${port}/p2p/${id}` }
      }),
    )
    try {
      network.setPeers(peers)
      await until('all were refused', () => log.lines.filter((line) => line.startsWith('peer not dialed')).length === hosts.length)
      await delay(600)
      assert.deepEqual(knocks, [])
      assert.equal(log.lines.filter((line) => line.startsWith('peer not dialed')).length, hosts.length)

      // Registered on this machine itself, it dials others on it.
      const own = { producer: self, address: `/ip4/127.0.0.1/tcp/9000/p2p/${network.peerId}` }
      network.setPeers([own, ...peers])
      await until('a knock', () => knocks.length > 0)
    } finally {
      await network.close()
      inside.close()
    }
  })
})
