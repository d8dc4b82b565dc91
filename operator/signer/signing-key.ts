import type { BlsSignature } from '../core/ids.ts'
import { bytesToHex, hexToBytes, toPublicKey } from '../core/parse.ts'
import type { SigningKey } from '../core/ports/signer.ts'
import type { NativeSecretKey } from './keystore.ts'

/** A partial or whole signature over a 32-byte root, compressed. */
export function signRootWith(secret: NativeSecretKey, root: string): BlsSignature {
  return bytesToHex(secret.sign(hexToBytes(root)).toBytes()) as BlsSignature
}

/** The producer's BLS signing key. What it signs is aggregated and never slashable by its double. */
export function createSigningKey(secret: NativeSecretKey): SigningKey {
  return { publicKey: toPublicKey(bytesToHex(secret.toPublicKey().toBytes())), sign: (digest) => signRootWith(secret, digest) }
}
