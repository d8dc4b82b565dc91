import * as crypto from 'node:crypto'
import { createCipheriv, createHash, createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { Keystore } from '@chainsafe/bls-keystore'
import { bytesToHex } from '../core/parse.ts'
import { blst } from '../protocol/bls/backend.ts'
import { SignerError } from './errors.ts'
import { readIfPresent, writeDurably } from './files.ts'

const pbkdf2 = promisify(crypto.pbkdf2)
const scrypt = promisify<crypto.BinaryLike, crypto.BinaryLike, number, crypto.ScryptOptions, Buffer>(crypto.scrypt)

export type NativeSecretKey = ReturnType<typeof blst.SecretKey.fromBytes>

/** How a keystore's password is stretched: scrypt of a cost (a power of two), or the 262,144 rounds of PBKDF2 of EIP-2335. */
export type KeystoreKdf = { readonly kind: 'scrypt'; readonly cost: number } | { readonly kind: 'pbkdf2' }

const PBKDF2_ROUNDS = 262_144
/** C0, delete and C1, which EIP-2335 strips. */
const CONTROL_CODES = /\p{Cc}/gu

/** A password made into a key, and how: to be written beside what the key encrypts. */
export type StretchedPassword = { readonly key: Buffer; readonly kdf: object }

/** Stretches a password off the main thread, which has duties to do meanwhile. One serves any number of keystores. */
export async function stretchPassword(password: string, kdf: KeystoreKdf): Promise<StretchedPassword> {
  const secret = Buffer.from(password.normalize('NFKD').replace(CONTROL_CODES, ''), 'utf8')
  const salt = randomBytes(32)
  const shared = { dklen: 32, salt: salt.toString('hex') }
  if (kdf.kind === 'pbkdf2') {
    const key = await pbkdf2(secret, salt, PBKDF2_ROUNDS, 32, 'sha256')
    return { key, kdf: { function: 'pbkdf2', params: { ...shared, c: PBKDF2_ROUNDS, prf: 'hmac-sha256' }, message: '' } }
  }
  const params = { n: kdf.cost, r: 8, p: 1 }
  const key = await scrypt(secret, salt, 32, { N: params.n, r: params.r, p: params.p, maxmem: 256 * params.n * params.r })
  return { key, kdf: { function: 'scrypt', params: { ...shared, ...params }, message: '' } }
}

/** Writes a BLS secret key as an EIP-2335 file. On disk when it resolves. */
export async function writeKeystore(options: {
  readonly path: string
  readonly secret: NativeSecretKey
  readonly password: StretchedPassword
  readonly description: string
}): Promise<void> {
  const { path, secret, description } = options
  const { key, kdf } = options.password
  const iv = randomBytes(16)
  const bytes = secret.toBytes()
  const ciphertext = createCipheriv('aes-128-ctr', createSecretKey(key.subarray(0, 16)), iv).update(bytes)
  bytes.fill(0)
  const checksum = createHash('sha256').update(key.subarray(16)).update(ciphertext).digest('hex')
  const keystore = {
    version: 4,
    uuid: randomUUID(),
    description,
    path: '',
    pubkey: bytesToHex(secret.toPublicKey().toBytes()).slice(2),
    crypto: {
      kdf,
      checksum: { function: 'sha256', params: {}, message: checksum },
      cipher: { function: 'aes-128-ctr', params: { iv: iv.toString('hex') }, message: ciphertext.toString('hex') },
    },
  }
  await writeDurably(path, `${JSON.stringify(keystore)}\n`)
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
