import { keccak256 } from 'ethers/crypto'
import type { Hex, Root } from '../../core/ids.ts'
import { hexToBytes } from '../../core/parse.ts'

const WORD = 32

/** Which deployment judges a message: every signature of ours binds chain and contract. */
export type SigningDomain = { readonly chainId: bigint; readonly contract: Hex }

/** A field's value: a number of any integer type, or the bytes of `bytes`, `bytes32` and `address` as hex. */
export type FieldValue = number | bigint | Hex

const hashText = (text: string): Root => keccak256(Buffer.from(text, 'utf8')) as Root

const DOMAIN_TYPE = hashText('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')
const NAME = hashText('Open Pools')
const VERSION = hashText('1')

function writeWord(words: Buffer, at: number, value: FieldValue): void {
  const hex = typeof value === 'string' ? value.slice(2) : value.toString(16)
  words.write(hex.padStart(WORD * 2, '0'), at * WORD, 'hex')
}

// A node speaks under the few contracts of one deployment.
const SEPARATORS_KEPT = 16
const separators = new Map<string, Root>()

/** Domain separator of EIP-712 for {name "Open Pools", version "1", chain, contract}. */
export function domainSeparatorOf(domain: SigningDomain): Root {
  const name = `${domain.chainId}/${domain.contract}`
  const known = separators.get(name)
  if (known !== undefined) return known
  const separator = computeSeparator(domain)
  if (separators.size >= SEPARATORS_KEPT) separators.clear()
  separators.set(name, separator)
  return separator
}

function computeSeparator({ chainId, contract }: SigningDomain): Root {
  const words = Buffer.alloc(5 * WORD)
  for (const [at, value] of [DOMAIN_TYPE, NAME, VERSION, chainId, contract].entries()) writeWord(words, at, value)
  return keccak256(words) as Root
}

/**
 * Struct hash function of a flat EIP-712 type, such as `Join(uint32 poolId,bytes joinKey)`; values in the order of the fields.
 * Knows unsigned integers, `address`, `bytes32` and `bytes`.
 */
export function structHasher(type: string): (values: readonly FieldValue[]) => Root {
  const typeHash = hashText(type)
  const dynamic = type
    .slice(type.indexOf('(') + 1, -1)
    .split(',')
    .map((field) => field.startsWith('bytes '))
  return (values) => {
    const words = Buffer.alloc((values.length + 1) * WORD)
    writeWord(words, 0, typeHash)
    for (const [i, value] of values.entries()) {
      writeWord(words, i + 1, dynamic[i] === true && typeof value === 'string' ? (keccak256(hexToBytes(value)) as Root) : value)
    }
    return keccak256(words) as Root
  }
}

/** What is signed: keccak256(0x1901 ‖ domain separator ‖ struct hash). */
export function typedDigest(domainSeparator: Root, structHash: Root): Root {
  const bytes = Buffer.alloc(2 + 2 * WORD)
  bytes.writeUInt16BE(0x1901)
  bytes.write(domainSeparator.slice(2), 2, 'hex')
  bytes.write(structHash.slice(2), 2 + WORD, 'hex')
  return keccak256(bytes) as Root
}
