import { randomBytes } from 'node:crypto'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Address, PublicKey, Root } from '../core/ids.ts'
import type { CeremonySecrets } from '../core/ports/ceremony.ts'
import type { HandoverSecrets } from '../core/ports/handover.ts'
import type { CertificateSigner, OperatorKey, ShareKeeper, ShareSigner, SigningKey, TransactionSigner } from '../core/ports/signer.ts'
import { assertNativeBls, blst } from '../protocol/bls/backend.ts'
import { addressOf } from '../protocol/messages/ecdsa.ts'
import { bootId, openAnnouncements } from './announcements.ts'
import { breathing } from './breathing.ts'
import { createCeremonySecrets } from './ceremony-secrets.ts'
import { createCeremonyStates } from './ceremony-state.ts'
import { createCertificateSigner } from './certificate-signer.ts'
import { createDatabase, openDatabase } from './database.ts'
import { SignerError } from './errors.ts'
import { makePrivateFolder, readIfPresent, syncFolder, writeDurably } from './files.ts'
import { createHandoverSecrets } from './handover-secrets.ts'
import { createHandoverStates } from './handover-state.ts'
import { createInterchange, type Interchange } from './interchange.ts'
import { readKeystore, stretchPassword, writeKeystore } from './keystore.ts'
import { assertPrivateKey, createOperatorKey, createTransactionSigner, randomOperatorKey } from './operator-key.ts'
import { stretch } from './scrypt.ts'
import { openSealedStates } from './sealed-states.ts'
import { createShareSigner } from './share-signer.ts'
import { openShareStore } from './share-store.ts'
import { createShareTerms } from './share-terms.ts'
import { createSigningKey } from './signing-key.ts'
import { createSlashingProtection } from './slashing-protection.ts'
import { openWallet, sealWallet } from './wallet-file.ts'

const FOLDER = 'signer'
const FILES = {
  manifest: 'manifest.json',
  database: 'protection.sqlite',
  operatorKey: 'operator-key.json',
  signingKey: 'signing-key.json',
  shares: 'shares',
  ceremonies: 'ceremonies',
} as const

/** scrypt's N for keys that live for years: 128 MiB and a third of a second. */
const SCRYPT_COST = 2 ** 17

// The manifest ties key files to the one database of signing records without which they must not sign.
const manifestFile = z.object({
  version: z.literal(1),
  databaseId: z.string().regex(/^[0-9a-f]{32}$/),
  operatorAddress: z.string(),
  signingKey: z.string(),
  storage: z.object({
    salt: z.string().regex(/^[0-9a-f]{64}$/),
    cost: z
      .int()
      .min(2)
      .max(2 ** 20),
  }),
})

/** The open room of secrets: ports behind which the keys stay. */
export type Signer = {
  readonly operatorKey: OperatorKey
  readonly transactionSigner: TransactionSigner
  readonly signingKey: SigningKey
  readonly shares: ShareSigner & ShareKeeper
  /** Signs duty certificates under the domain of Disputes. */
  certificates(domainSeparator: Root): CertificateSigner
  readonly ceremony: CeremonySecrets
  readonly handover: HandoverSecrets
  readonly interchange: Interchange
  /** Releases the folder. Nothing signs afterwards. */
  close(): void
}

export type PublicKeys = { readonly operatorAddress: Address; readonly signingKey: PublicKey }

/**
 * Makes a producer's two keys and its database of signing records under `dataDir`, all or nothing. Throws `SignerError` when
 * there are keys already.
 */
export async function createSigner(options: {
  readonly dataDir: string
  readonly password: string
  /** scrypt's N, a power of two. */
  readonly scryptCost?: number
}): Promise<PublicKeys> {
  const { dataDir, password, scryptCost: cost = SCRYPT_COST } = options
  const folder = join(dataDir, FOLDER)
  if (existsSync(folder)) throw new SignerError('KEYS_EXIST', `expected no keys in ${folder} yet`, { folder })
  const unfinished = `${folder}.${randomBytes(6).toString('hex')}.tmp`
  makePrivateFolder(unfinished)
  try {
    const privateKey = randomOperatorKey()
    const operatorAddress = addressOf(privateKey)
    await writeDurably(join(unfinished, FILES.operatorKey), sealWallet({ privateKey, address: operatorAddress, password, cost }))
    privateKey.fill(0)
    const secret = blst.SecretKey.fromKeygen(randomBytes(32))
    const signingKey = createSigningKey(secret).publicKey
    const path = join(unfinished, FILES.signingKey)
    const stretched = await stretchPassword(password, { kind: 'scrypt', cost })
    await writeKeystore({ path, secret, password: stretched, description: 'Open Pools signing key' })
    stretched.key.fill(0)
    const databaseId = randomBytes(16).toString('hex')
    createDatabase(join(unfinished, FILES.database), databaseId)
    const storage = { salt: randomBytes(32).toString('hex'), cost }
    const manifest = { version: 1, databaseId, operatorAddress, signingKey, storage }
    await writeDurably(join(unfinished, FILES.manifest), `${JSON.stringify(manifest, null, 2)}\n`)
    renameSync(unfinished, folder)
    syncFolder(dataDir)
    return { operatorAddress, signingKey }
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true })
    throw error
  }
}

function readManifest(folder: string): z.infer<typeof manifestFile> {
  const text = readIfPresent(join(folder, FILES.manifest))?.toString('utf8')
  if (text === undefined) throw new SignerError('NO_KEYS', `expected keys in ${folder}, found none; create them first`, { folder })
  try {
    return manifestFile.parse(JSON.parse(text))
  } catch (cause) {
    throw new SignerError('BAD_FILE', `expected a manifest of keys in ${folder}`, { folder }, { cause })
  }
}

/** Public halves of the keys under `dataDir`, without a password. Throws `SignerError`. */
export function publicKeysOf(dataDir: string): PublicKeys {
  const { operatorAddress, signingKey } = readManifest(join(dataDir, FOLDER))
  return { operatorAddress: operatorAddress as Address, signingKey: signingKey as PublicKey }
}

/**
 * Opens the keys under `dataDir` for this process alone. Throws `SignerError` (no keys, in use, wrong password, damaged file),
 * or `ProtectionLostError` when the database of signing records that belongs to them is not there.
 */
export async function openSigner(options: { readonly dataDir: string; readonly password: string }): Promise<Signer> {
  assertNativeBls()
  const { password } = options
  const folder = join(options.dataDir, FOLDER)
  const { databaseId, storage } = readManifest(folder)
  const database = openDatabase(join(folder, FILES.database), databaseId)
  try {
    const walletPath = join(folder, FILES.operatorKey)
    const privateKey = openWallet({ text: readIfPresent(walletPath)?.toString('utf8') ?? '', password, path: walletPath })
    assertPrivateKey(privateKey)
    const signingKey = createSigningKey(await readKeystore(join(folder, FILES.signingKey), password))
    const storageKey = stretch(password, Buffer.from(storage.salt, 'hex'), storage.cost)
    const shareStore = await openShareStore({ folder: join(folder, FILES.shares), password, databaseId })
    const sealed = openSealedStates(join(folder, FILES.ceremonies), storageKey)
    const handovers = createHandoverStates(sealed)
    const protection = createSlashingProtection(database)
    const terms = createShareTerms({ shares: shareStore, protection, dealt: handovers.dealt })
    return {
      operatorKey: createOperatorKey(privateKey, database, openAnnouncements(database, bootId())),
      transactionSigner: createTransactionSigner(privateKey),
      signingKey,
      certificates: (domainSeparator) => createCertificateSigner({ signingKey, database, domainSeparator }),
      shares: createShareSigner({ shares: shareStore, protection, terms }),
      ceremony: breathing(createCeremonySecrets(createCeremonyStates(sealed), shareStore)),
      handover: createHandoverSecrets(handovers, shareStore),
      interchange: createInterchange(database, protection),
      close: () => database.close(),
    }
  } catch (error) {
    database.close()
    throw error
  }
}
