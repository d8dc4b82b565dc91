import { keccak256 } from 'ethers/crypto'
import secp256k1 from 'secp256k1'
import type { Address, EcdsaSignature, Root } from '../../core/ids.ts'
import { bytesToHex, hexToBytes } from '../../core/parse.ts'

export type EcdsaQuestion = { readonly digest: Root; readonly signature: EcdsaSignature; readonly address: Address }

/** Is this the address's signature over the digest? */
export type EcdsaVerifier = (question: EcdsaQuestion) => boolean

/**
 * A verifier by libsecp256k1. What `ecrecover` would yield is recovered once per address; from then on its public key is
 * known and only verified against. Signatures with a high s are refused, as the contracts refuse them.
 */
export function ecdsaVerifier(): EcdsaVerifier {
  const keys = new Map<Address, Uint8Array>()
  return ({ digest, signature, address }) => {
    const bytes = hexToBytes(signature)
    const [compact, message] = [bytes.subarray(0, 64), hexToBytes(digest)]
    const recovery = (bytes[64] ?? 0) - 27
    if (bytes.length !== 65 || (recovery !== 0 && recovery !== 1)) return false
    try {
      const known = keys.get(address) ?? recover({ compact, recovery, message, address })
      if (known === undefined || !secp256k1.ecdsaVerify(compact, message, known)) return false
      keys.set(address, known)
      return true
    } catch {
      return false // r or s out of range
    }
  }
}

function recover(question: {
  readonly compact: Uint8Array
  readonly recovery: number
  readonly message: Uint8Array
  readonly address: Address
}): Uint8Array | undefined {
  const key = secp256k1.ecdsaRecover(question.compact, question.recovery, question.message, false)
  const address = `0x${keccak256(key.subarray(1)).slice(-40)}`
  return address === question.address ? key : undefined
}

/** r ‖ s ‖ v with v = 27 or 28, as `ecrecover` takes it. */
export function signEcdsa(digest: Root, privateKey: Uint8Array): EcdsaSignature {
  const { signature, recid } = secp256k1.ecdsaSign(hexToBytes(digest), privateKey)
  return `${bytesToHex(signature)}${(27 + recid).toString(16)}` as EcdsaSignature
}

/** The Ethereum address of a secp256k1 private key. */
export function addressOf(privateKey: Uint8Array): Address {
  return `0x${keccak256(secp256k1.publicKeyCreate(privateKey, false).subarray(1)).slice(-40)}` as Address
}
