import { randomBytes } from 'node:crypto'
import { defaultPbkdfModule, Keystore } from '@chainsafe/bls-keystore'
import { bytesToHex } from '../core/parse.ts'
import { blst } from '../protocol/bls/backend.ts'
import { SignerError } from './errors.ts'
import { readIfPresent, writeDurably } from './files.ts'

export type NativeSecretKey = ReturnType<typeof blst.SecretKey.fromBytes>

/** How a keystore's password is stretched: scrypt of a cost (a power of two), or the 262,144 rounds of PBKDF2 of EIP-2335. */
export type KeystoreKdf = { readonly kind: 'scrypt'; readonly cost: number } | { readonly kind: 'pbkdf2' }

function kdfModule(kdf: KeystoreKdf) {
  if (kdf.kind === 'pbkdf2') return defaultPbkdfModule()
  return { function: 'scrypt' as const, params: { dklen: 32, n: kdf.cost, r: 8, p: 1, salt: randomBytes(32).toString('hex') } }
}

/** Writes a BLS secret key as an EIP-2335 file. On disk before it resolves. */
export async function writeKeystore(options: {
  readonly path: string
  readonly secret: NativeSecretKey
  readonly password: string
  readonly description: string
  readonly kdf: KeystoreKdf
}): Promise<void> {
  const { secret, password, description } = options
  const bytes = secret.toBytes()
  const keystore = await Keystore.create(password, bytes, secret.toPublicKey().toBytes(), '', description, kdfModule(options.kdf))
  bytes.fill(0)
  writeDurably(options.path, `${keystore.stringify()}\n`)
}

/**
 * Reads an EIP-2335 file. Throws `SignerError`: `BAD_FILE` when it is missing, malformed or its public key is not the secret's,
 * `WRONG_PASSWORD` when it does not open.
 */
export async function readKeystore(path: string, password: string): Promise<NativeSecretKey> {
  const text = readIfPresent(path)?.toString('utf8')
  if (text === undefined) throw new SignerError('BAD_FILE', `expected an EIP-2335 keystore at ${path}, found none`, { path })
  const secret = await decryptKeystore({ text, password, path })
  const found = bytesToHex(secret.toPublicKey().toBytes())
  const named = `0x${Keystore.parse(text).pubkey.replace(/^0x/, '').toLowerCase()}`
  if (found !== named) throw new SignerError('BAD_FILE', `expected ${path} to hold the key of ${named}, it holds ${found}`, { path })
  return secret
}

/** Decrypts the text of an EIP-2335 keystore; `path` is for messages. */
export async function decryptKeystore(options: {
  readonly text: string
  readonly password: string
  readonly path: string
}): Promise<NativeSecretKey> {
  const { path } = options
  let keystore: Keystore
  try {
    keystore = Keystore.parse(options.text)
  } catch (cause) {
    throw new SignerError('BAD_FILE', `expected an EIP-2335 keystore in ${path}`, { path }, { cause })
  }
  const bytes = await keystore.decrypt(options.password).catch((cause: unknown) => {
    throw new SignerError('WRONG_PASSWORD', `the password does not open ${path}`, { path }, { cause })
  })
  try {
    return blst.SecretKey.fromBytes(bytes)
  } catch (cause) {
    throw new SignerError('BAD_FILE', `expected a BLS12-381 secret key in ${path}`, { path }, { cause })
  } finally {
    bytes.fill(0)
  }
}
