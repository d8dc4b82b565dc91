import { InvalidArgumentError, Option } from 'commander'
import { getAddress } from 'ethers/address'
import type { Address, ProducerId } from '../../core/ids.ts'
import { toAddress, toProducerId } from '../../core/parse.ts'
import { LOG_LEVELS } from '../config.ts'

const MULTIADDR = /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/(\d{1,5})$/
const MAX_PORT = 65_535
const ETH_DECIMALS = 18
/** Before the point: far more ETH than there is. */
const MOST_DIGITS = 12

function parsed<T>(read: (text: string) => T | undefined, expected: string): (text: string) => T {
  return (text) => {
    const value = read(text)
    if (value === undefined) throw new InvalidArgumentError(`Expected ${expected}.`)
    return value
  }
}

/** An http or https URL, as typed. */
export const parseUrl = parsed((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? text : undefined
}, 'a URL such as http://127.0.0.1:8545')

export const parsePort = parsed((text) => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : undefined
  return port !== undefined && port > 0 && port <= MAX_PORT ? port : undefined
}, `a TCP port from 1 to ${MAX_PORT}`)

export const parsePath = parsed((text) => (text.trim() === '' ? undefined : text), 'a path')

const parseHexAddress = parsed<Address>((text) => {
  try {
    return toAddress(text)
  } catch {
    return undefined
  }
}, 'an address (0x and 40 hex digits)')

/** An address. Of mixed case, its checksum (EIP-55) must be right; of one case it has none. */
export function parseAddress(text: string): Address {
  const address = parseHexAddress(text)
  try {
    getAddress(text)
  } catch {
    throw new InvalidArgumentError('Expected an address whose checksum (EIP-55, its upper and lower case) is right: look for a typo.')
  }
  return address
}

/** A TCP multiaddr without the peer id. */
export function parseMultiaddr(text: string): string {
  const match = MULTIADDR.exec(text)
  if (match === null) throw new InvalidArgumentError('Expected a multiaddr without a peer id, such as /ip4/203.0.113.7/tcp/9000.')
  const port = Number(match[2])
  if (port > 0 && port <= MAX_PORT) return text
  const why = port === 0 ? ': others dial the port that was registered, so it cannot be left to chance' : ''
  throw new InvalidArgumentError(`Expected a TCP port from 1 to ${MAX_PORT}, got ${port}${why}.`)
}

/** A decimal amount of ETH in wei; zero only where it means "none". */
function parseEth(allowZero: boolean): (text: string) => bigint {
  const expected = allowZero ? 'an amount of ETH such as 0.5' : 'an amount of ETH above 0, such as 26 or 10.5'
  return (text) => {
    const [, whole = '', fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(text) ?? []
    if (whole === '') throw new InvalidArgumentError(`Expected ${expected}.`)
    if (fraction.length > ETH_DECIMALS) {
      throw new InvalidArgumentError(`Expected at most ${ETH_DECIMALS} digits after the point (a wei), got ${fraction.length}.`)
    }
    if (whole.replace(/^0+/, '').length > MOST_DIGITS) {
      throw new InvalidArgumentError('Expected an amount of ETH that can exist: this one is too large.')
    }
    const wei = BigInt(whole) * 10n ** BigInt(ETH_DECIMALS) + BigInt(fraction.padEnd(ETH_DECIMALS, '0'))
    if (wei === 0n && !allowZero) throw new InvalidArgumentError(`Expected ${expected}.`)
    return wei
  }
}
export const parseAmount = parseEth(false)
export const parseAmountOrZero = parseEth(true)

/** The number of a producer, from 1. */
export const parseProducerId = parsed<ProducerId>((text) => {
  const id = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
  return id !== undefined && id < 2 ** 32 ? toProducerId(id) : undefined
}, 'the number of a producer, from 1')

/** An option that OPENPOOLS_<NAME> can give as well. */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description)
  return option.env(`OPENPOOLS_${(option.long ?? '').slice(2).replaceAll('-', '_').toUpperCase()}`)
}

// Flags that several commands share, so that they are called and checked alike everywhere.
export const dataDir = (): Option =>
  flag('--data-dir <folder>', "folder of the operator's keys and state; no other operator may use it")
    .argParser(parsePath)
    .makeOptionMandatory()
export const passwordFile = (): Option =>
  flag('--password-file <file>', 'file whose first line is the password of the key files, of at least 8 characters')
    .argParser(parsePath)
    .makeOptionMandatory()
export const rpcUrl = (): Option => flag('--rpc-url <url>', 'JSON-RPC of an execution client').argParser(parseUrl).makeOptionMandatory()
export const beaconUrl = (): Option =>
  flag('--beacon-url <url>', 'Beacon API of a node of the same chain').argParser(parseUrl).makeOptionMandatory()
export const directory = (): Option =>
  flag('--directory <address>', "the deployment's directory contract").argParser(parseAddress).makeOptionMandatory()
export const operatorUrl = (): Option =>
  flag('--url <url>', 'HTTP address of the operator').argParser(parseUrl).default('http://127.0.0.1:8645')
export const ownerKeyFile = (): Option => flag('--owner-key-file <file>', "the owner's encrypted key file (Web3 secret storage)")
export const ownerPasswordFile = (): Option => flag('--owner-password-file <file>', 'file with its password')
export const logLevel = (): Option => flag('--log-level <level>', 'least severity to log').choices(LOG_LEVELS).default('info')
export const json = (): Option => new Option('--json', 'print one JSON object instead of text')
