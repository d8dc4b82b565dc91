import type { Address } from '../../../../operator/core/ids.ts'
import { hexToBytes } from '../../../../operator/core/parse.ts'
import type { SigningKey } from '../../../../operator/core/ports/signer.ts'
import { blst } from '../../../../operator/protocol/bls/backend.ts'
import { addressOf } from '../../../../operator/protocol/messages/ecdsa.ts'
import { createSigningKey } from '../../../../operator/signer/signing-key.ts'
import { sha } from '../crypto.ts'

/** A producer's two keys. */
export type Keys = { readonly operatorKey: Uint8Array; readonly operator: Address; readonly signing: SigningKey }

const made = new Map<string, Keys>()

export function keysOf(id: number): Keys {
  const known = made.get(String(id))
  if (known !== undefined) return known
  const operatorKey = hexToBytes(sha('operator key', id))
  const signing = createSigningKey(blst.SecretKey.fromKeygen(hexToBytes(sha('signing key', id))))
  const keys = { operatorKey, operator: addressOf(operatorKey), signing }
  made.set(String(id), keys)
  return keys
}
