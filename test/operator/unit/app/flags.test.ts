import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvalidArgumentError } from 'commander'
import {
  flag,
  parseAddress,
  parseAmount,
  parseAmountOrZero,
  parseMultiaddr,
  parsePort,
  parseUrl,
} from '../../../../operator/app/cli/flags.ts'

const refuses = (parse: (text: string) => unknown, texts: readonly string[]): void => {
  for (const text of texts) assert.throws(() => parse(text), InvalidArgumentError, `took ${JSON.stringify(text)}`)
}

describe('flags', () => {
  it('reads amounts of ETH to the wei', () => {
    assert.equal(parseAmount('26'), 26n * 10n ** 18n)
    assert.equal(parseAmount('10.5'), 105n * 10n ** 17n)
    assert.equal(parseAmount('0.000000000000000001'), 1n)
    assert.equal(parseAmountOrZero('0'), 0n)
    refuses(parseAmount, ['0', '0.0', '-1', '1e3', '1,5', 'ten', '', '.5', '1.', '0.0000000000000000001', '0x10', ' 1'])
    refuses(parseAmountOrZero, ['-0', 'none'])
    for (const parse of [parseAmount, parseAmountOrZero]) {
      assert.throws(() => parse('999999999999999999999999999'), { message: /this one is too large/ })
      assert.throws(() => parse('1.0000000000000000001'), { message: /^Expected at most 18 digits after the point \(a wei\), got 19\.$/ })
    }
    assert.equal(parseAmount('0000000000000001'), 10n ** 18n)
  })

  it('reads addresses, URLs, ports and multiaddrs', () => {
    refuses(parseAddress, ['0x12', 'ab'.repeat(20), `0x${'zz'.repeat(20)}`, ''])
    assert.equal(parseUrl('https://user:secret@node.example/path'), 'https://user:secret@node.example/path')
    refuses(parseUrl, ['localhost:8545', 'ws://localhost:1', 'file:///etc/passwd', ''])
    assert.equal(parsePort('8645'), 8645)
    refuses(parsePort, ['0', '65536', '-1', '80a', '', '1.5'])
    for (const good of ['/ip4/0.0.0.0/tcp/9000', '/ip6/::1/tcp/1', '/dns4/op.example/tcp/65535']) assert.equal(parseMultiaddr(good), good)
    refuses(parseMultiaddr, [
      '/ip4/1.2.3.4/tcp/0',
      '/ip4/1.2.3.4/tcp/65536',
      '/ip4/1.2.3.4/udp/1',
      '1.2.3.4:9000',
      '/ip4/1.2.3.4/tcp/1/p2p/12D3',
    ])
    assert.throws(() => parseMultiaddr('/ip4/0.0.0.0/tcp/0'), {
      message: /^Expected a TCP port from 1 to 65535, got 0: others dial the port/,
    })
  })

  it('checks the checksum of an address of mixed case (EIP-55)', () => {
    // Of the EIP's own examples.
    const good = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
    for (const text of [good, good.toLowerCase(), `0x${good.slice(2).toUpperCase()}`]) assert.equal(parseAddress(text), good.toLowerCase())
    for (const text of [good.replace('aA', 'Aa'), good.replace('d', 'D'), `0x${'Ab'.repeat(20)}`]) {
      assert.throws(() => parseAddress(text), { message: /checksum \(EIP-55/ })
    }
  })

  it('can each be an environment variable', () => {
    assert.equal(flag('--owner-key-file <file>', '').envVar, 'OPENPOOLS_OWNER_KEY_FILE')
    assert.equal(flag('--bond <eth>', '').envVar, 'OPENPOOLS_BOND')
  })
})
