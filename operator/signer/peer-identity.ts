import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { SignerError } from './errors.ts'
import { makePrivateFolder, readIfPresent, writeDurably } from './files.ts'
import { openWallet, sealWallet } from './wallet-file.ts'

const FILE = 'peer-identity.json'
// Whoever has this key can pose as our node to its peers and say nothing of weight: messages are signed with other keys.
const SCRYPT_COST = 2 ** 14

/**
 * Makes the 32-byte ed25519 seed of the node's peer id under `dataDir`, encrypted like the operator key (Web3 secret storage,
 * without an address). On disk when it resolves; replaces one that is there.
 */
export async function createPeerIdentity({
  dataDir,
  password,
  scryptCost = SCRYPT_COST,
}: {
  readonly dataDir: string
  readonly password: string
  readonly scryptCost?: number
}): Promise<Uint8Array> {
  const seed = randomBytes(32)
  makePrivateFolder(dataDir)
  await writeDurably(join(dataDir, FILE), sealWallet({ privateKey: seed, address: '', password, cost: scryptCost }))
  return seed
}

/** The seed that `createPeerIdentity` made. Throws `SignerError` (NO_KEYS, BAD_FILE, WRONG_PASSWORD). */
export function openPeerIdentity({ dataDir, password }: { readonly dataDir: string; readonly password: string }): Uint8Array {
  const path = join(dataDir, FILE)
  const text = readIfPresent(path)?.toString('utf8')
  if (text === undefined)
    throw new SignerError('NO_KEYS', `expected a peer identity at ${path}, found none; create the keys first`, { path })
  return openWallet({ text, password, path })
}
