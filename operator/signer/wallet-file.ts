import { createCipheriv, createDecipheriv, randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto'
import { keccak256 } from 'ethers'
import { z } from 'zod'
import { hexToBytes } from '../core/parse.ts'
import { SignerError } from './errors.ts'

// Web3 Secret Storage, version 3, as every Ethereum wallet reads it.
const hex = z.string().regex(/^([0-9a-fA-F]{2})+$/)
// Upper bounds keep a doctored file from eating the machine's memory.
const walletFile = z.object({
  version: z.literal(3),
  crypto: z.object({
    cipher: z.literal('aes-128-ctr'),
    ciphertext: hex,
    cipherparams: z.object({ iv: hex }),
    kdf: z.literal('scrypt'),
    kdfparams: z.object({
      dklen: z.literal(32),
      n: z
        .int()
        .min(2)
        .max(2 ** 20),
      r: z.int().min(1).max(16),
      p: z.int().min(1).max(16),
      salt: hex,
    }),
    mac: hex,
  }),
})

type KdfParameters = { readonly n: number; readonly r: number; readonly p: number; readonly salt: Buffer }

function derive(password: string, { n, r, p, salt }: KdfParameters): Buffer {
  return scryptSync(Buffer.from(password.normalize('NFKC'), 'utf8'), salt, 32, { N: n, r, p, maxmem: 129 * n * r + 1_000_000 })
}

const macOf = (key: Buffer, ciphertext: Buffer): Buffer =>
  Buffer.from(hexToBytes(keccak256(Buffer.concat([key.subarray(16, 32), ciphertext]))))

/** Text of a Web3 Secret Storage file for a secp256k1 key. `cost` is scrypt's N. */
export function sealWallet(options: {
  readonly privateKey: Uint8Array
  readonly address: string
  readonly password: string
  readonly cost: number
}): string {
  const kdf = { n: options.cost, r: 8, p: 1, salt: randomBytes(32) }
  const key = derive(options.password, kdf)
  const iv = randomBytes(16)
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(options.privateKey), cipher.final()])
  return JSON.stringify({
    version: 3,
    id: randomUUID(),
    address: options.address.toLowerCase().replace(/^0x/, ''),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: ciphertext.toString('hex'),
      cipherparams: { iv: iv.toString('hex') },
      kdf: 'scrypt',
      kdfparams: { dklen: 32, n: kdf.n, r: kdf.r, p: kdf.p, salt: kdf.salt.toString('hex') },
      mac: macOf(key, ciphertext).toString('hex'),
    },
  })
}

/** Private key of a Web3 Secret Storage text. Throws `SignerError` (`BAD_FILE`, `WRONG_PASSWORD`); `path` is for messages. */
export function openWallet(options: { readonly text: string; readonly password: string; readonly path: string }): Buffer {
  const { path } = options
  const { crypto } = parseWallet(options.text, path)
  const key = derive(options.password, { ...crypto.kdfparams, salt: Buffer.from(crypto.kdfparams.salt, 'hex') })
  const ciphertext = Buffer.from(crypto.ciphertext, 'hex')
  const mac = Buffer.from(crypto.mac, 'hex')
  if (mac.length !== 32 || !timingSafeEqual(mac, macOf(key, ciphertext))) {
    throw new SignerError('WRONG_PASSWORD', `the password does not open ${path}`, { path })
  }
  const decipher = createDecipheriv('aes-128-ctr', key.subarray(0, 16), Buffer.from(crypto.cipherparams.iv, 'hex'))
  return Buffer.concat([decipher.update(ciphertext), decipher.final()])
}

function parseWallet(text: string, path: string): z.infer<typeof walletFile> {
  try {
    // Some wallets, ethers among them, write "Crypto".
    const file = z.record(z.string(), z.unknown()).parse(JSON.parse(text))
    return walletFile.parse({ ...file, crypto: file.crypto ?? file.Crypto })
  } catch (cause) {
    throw new SignerError('BAD_FILE', `expected a Web3 Secret Storage file (version 3, scrypt) in ${path}`, { path }, { cause })
  }
}
