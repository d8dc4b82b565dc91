import { join } from 'node:path'
import { peerIdOfSeed } from '../adapters/p2p/identity.ts'
import { prepareJobQueue } from '../adapters/queue/job-queue.ts'
import type { Address, PublicKey } from '../core/ids.ts'
import { SignerError } from '../signer/errors.ts'
import { createSigner, publicKeysOf } from '../signer/open.ts'
import { passwordFrom } from '../signer/password.ts'
import { createPeerIdentity } from '../signer/peer-identity.ts'
import { JOBS_FOLDER } from './config.ts'

export type KeysRequest = { readonly dataDir: string; readonly passwordFile: string; readonly lightKdf?: true }

/** scrypt's N for keys that guard nothing: a few milliseconds and 1 MiB. */
const LIGHT_COST = 2 ** 10
export type OperatorKeys = { readonly operator: Address; readonly signingKey: PublicKey; readonly peerId: string }

/** Makes a new operator's data folder: all keys, and the empty job database. Throws `SignerError`: KEYS_EXIST, BAD_PASSWORD; `DatabaseError`. */
export async function makeKeys({ dataDir, passwordFile, lightKdf }: KeysRequest): Promise<OperatorKeys> {
  const password = passwordFrom({ file: passwordFile })
  const kdf = lightKdf ? { scryptCost: LIGHT_COST } : {}
  assertNoKeys(dataDir)
  // Before the others: an identity without keys is replaced by the next attempt, keys without an identity could not be run.
  const seed = await createPeerIdentity({ dataDir, password, ...kdf })
  const { operatorAddress, signingKey } = await createSigner({ dataDir, password, ...kdf })
  await prepareJobQueue(join(dataDir, JOBS_FOLDER))
  return { operator: operatorAddress, signingKey, peerId: await peerIdOfSeed(seed) }
}

function assertNoKeys(dataDir: string): void {
  try {
    const { operatorAddress } = publicKeysOf(dataDir)
    throw new SignerError('KEYS_EXIST', `${dataDir} holds the keys of operator ${operatorAddress} already: use another folder`, { dataDir })
  } catch (error) {
    if (!(error instanceof SignerError && error.code === 'NO_KEYS')) throw error
  }
}
