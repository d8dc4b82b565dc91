import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'

/** From where an address can be reached. `never`: it names no single host, or hides another address. */
export type Reach = 'public' | 'private' | 'linkLocal' | 'loopback' | 'never'

// IANA's special-purpose address registries (RFC 6890 and its updates).
const RANGES: Readonly<Record<Exclude<Reach, 'public'>, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linkLocal: ['169.254.0.0/16', 'fe80::/10'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15', 'fc00::/7', 'fec0::/10'],
  // With the translations of IPv4 into IPv6, which may lead into any of the others.
  never: ['0.0.0.0/8', '192.0.0.0/24', '224.0.0.0/3', '::/128', 'ff00::/8', '64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32'],
}
const LISTS = Object.entries(RANGES).map(([reach, ranges]) => [reach as Reach, listOf(ranges)] as const)

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', prefix] = range.split('/')
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}

/** Of an IP address. One of IPv4 written as IPv6 (::ffff:…) is judged as what it is. */
export function reachOf(ip: string): Reach {
  const family = isIP(ip)
  if (family === 0) return 'never'
  return LISTS.find(([, list]) => list.check(ip, family === 6 ? 'ipv6' : 'ipv4'))?.[0] ?? 'public'
}

/** Hosts' IP addresses; none when a name does not resolve. */
export type Resolve = (host: string) => Promise<readonly string[]>

const byDns: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/**
 * Where a node may dial. Registered addresses are anybody's words: one that names a host inside an operator's network would make
 * its node knock there on a stranger's behalf. So only public addresses are dialed, and those of the classes that the node's own
 * addresses (where it listens, what it registered) are of: on one machine, or in a network of one's own, everybody's are.
 * Names are resolved here, so that what was judged is what is dialed.
 */
export class Dialable {
  readonly #resolve: Resolve

  constructor(resolve: Resolve = byDns) {
    this.#resolve = resolve
  }

  /** The addresses to dial for `peer`; none is dialable when it returns none. */
  async targets(peer: Multiaddr, own: readonly Multiaddr[]): Promise<readonly Multiaddr[]> {
    const allowed = new Set<Reach>(['public'])
    for (const ip of (await Promise.all(own.map((address) => this.#ips(address)))).flat()) allowed.add(reachOf(ip))
    allowed.delete('never')
    const [, port, id] = peer.getComponents().map(({ value }) => value)
    return (await this.#ips(peer))
      .filter((ip) => allowed.has(reachOf(ip)))
      .map((ip) => multiaddr(`/${isIP(ip) === 6 ? 'ip6' : 'ip4'}/${ip}/tcp/${port}/p2p/${id}`))
  }

  async #ips(address: Multiaddr): Promise<readonly string[]> {
    const [host] = address.getComponents()
    if (host?.value === undefined) return []
    if (host.name === 'ip4' || host.name === 'ip6') return [host.value]
    if (!['dns', 'dns4', 'dns6'].includes(host.name)) return []
    const ips = await this.#resolve(host.value).catch(() => [])
    return ips.filter((ip) => host.name === 'dns' || isIP(ip) === (host.name === 'dns6' ? 6 : 4))
  }
}
