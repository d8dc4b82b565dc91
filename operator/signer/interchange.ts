import { z } from 'zod'
import type { PublicKey, Root } from '../core/ids.ts'
import type { ProtectionDatabase } from './database.ts'
import { InterchangeError } from './errors.ts'
import type { SlashingProtection } from './slashing-protection.ts'

const VERSION = '5'

const bytes = (length: number) =>
  z
    .string()
    .regex(new RegExp(`^0x[0-9a-fA-F]{${length * 2}}$`))
    .transform((text) => text.toLowerCase())
const natural = z
  .string()
  .regex(/^(0|[1-9]\d{0,15})$/)
  .transform(Number)
const signingRoot = bytes(32).optional()
const interchangeFile = z.object({
  metadata: z.object({ interchange_format_version: z.literal(VERSION), genesis_validators_root: bytes(32) }),
  data: z.array(
    z.object({
      pubkey: bytes(48),
      signed_blocks: z.array(z.object({ slot: natural, signing_root: signingRoot })),
      signed_attestations: z.array(
        z
          .object({ source_epoch: natural, target_epoch: natural, signing_root: signingRoot })
          .refine((vote) => vote.source_epoch <= vote.target_epoch, { message: 'source_epoch after target_epoch' }),
      ),
    }),
  ),
})

// A record without a signing root: it matches no request, so nothing for its slot or target is ever signed again.
const NO_ROOT = ''

/** Export and import of the slashing-protection records in the interchange format of EIP-3076, version 5. */
export type Interchange = {
  /** JSON text of all records and floors of this node's pools. */
  export(genesisValidatorsRoot: Root): string
  /**
   * Adds a file's records, all or none, and lifts each key's floors to the file's highest epochs and slot, so that whatever a
   * pruned file left out stays unsigned too. Throws `InterchangeError` on a malformed file or one of another chain.
   */
  import(text: string, genesisValidatorsRoot: Root): void
}

export function createInterchange(database: ProtectionDatabase, protection: Pick<SlashingProtection, 'raiseFloor'>): Interchange {
  const keys = database.prepare(
    'SELECT public_key FROM attestations UNION SELECT public_key FROM blocks UNION SELECT public_key FROM floors ORDER BY public_key',
  )
  const blocksOf = database.prepare('SELECT slot, signing_root FROM blocks WHERE public_key = ? ORDER BY slot')
  const attestationsOf = database.prepare(
    'SELECT source_epoch, target_epoch, signing_root FROM attestations WHERE public_key = ? ORDER BY target_epoch, source_epoch',
  )
  const floorOf = database.prepare('SELECT source_epoch, target_epoch, slot FROM floors WHERE public_key = ?')
  const insertBlock = database.prepare('INSERT OR IGNORE INTO blocks VALUES (?, ?, ?)')
  const insertAttestation = database.prepare('INSERT OR IGNORE INTO attestations VALUES (?, ?, ?, ?)')

  const rootOf = (row: Record<string, unknown>) => (row.signing_root === NO_ROOT ? {} : { signing_root: String(row.signing_root) })
  const blockEntries = (key: string) => {
    const floor = Number(floorOf.get(key)?.slot ?? -1)
    const rows = blocksOf.all(key).map((row) => ({ slot: String(row.slot), ...rootOf(row) }))
    return floor < 0 || rows.some(({ slot }) => Number(slot) === floor) ? rows : [{ slot: String(floor) }, ...rows]
  }
  const attestationEntries = (key: string) => {
    const floor = floorOf.get(key)
    const [source, target] = [Number(floor?.source_epoch ?? -1), Number(floor?.target_epoch ?? -1)]
    const rows = attestationsOf.all(key).map((row) => ({
      source_epoch: String(row.source_epoch),
      target_epoch: String(row.target_epoch),
      ...rootOf(row),
    }))
    if (target < 0 || rows.some((row) => Number(row.source_epoch) === source && Number(row.target_epoch) === target)) return rows
    return [{ source_epoch: String(Math.max(source, 0)), target_epoch: String(target) }, ...rows]
  }

  return {
    export: (genesisValidatorsRoot) =>
      JSON.stringify(
        {
          metadata: { interchange_format_version: VERSION, genesis_validators_root: genesisValidatorsRoot },
          data: keys.all().map((row) => {
            const pubkey = String(row.public_key)
            return { pubkey, signed_blocks: blockEntries(pubkey), signed_attestations: attestationEntries(pubkey) }
          }),
        },
        null,
        2,
      ),

    import: (text, genesisValidatorsRoot) => {
      const file = parseInterchange(text)
      const { genesis_validators_root: root } = file.metadata
      if (root !== genesisValidatorsRoot) {
        throw new InterchangeError('OTHER_CHAIN', `expected records of the chain ${genesisValidatorsRoot}, got those of ${root}`)
      }
      database.record(() => {
        for (const entry of file.data) {
          for (const block of entry.signed_blocks) insertBlock.run(entry.pubkey, block.slot, block.signing_root ?? NO_ROOT)
          for (const vote of entry.signed_attestations) {
            insertAttestation.run(entry.pubkey, vote.target_epoch, vote.source_epoch, vote.signing_root ?? NO_ROOT)
          }
          protection.raiseFloor(entry.pubkey as PublicKey, {
            sourceEpoch: greatest(entry.signed_attestations.map((vote) => vote.source_epoch)),
            targetEpoch: greatest(entry.signed_attestations.map((vote) => vote.target_epoch)),
            slot: greatest(entry.signed_blocks.map((block) => block.slot)),
          })
        }
      })
    },
  }
}

const greatest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, value), -1)

function parseInterchange(text: string): z.infer<typeof interchangeFile> {
  try {
    return interchangeFile.parse(JSON.parse(text))
  } catch (cause) {
    throw new InterchangeError(
      'BAD_INTERCHANGE',
      `expected a slashing-protection file of format version ${VERSION} (EIP-3076)`,
      {},
      { cause },
    )
  }
}
