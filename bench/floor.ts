import type { Address, EcdsaSignature, MemberIndex, Root } from '../operator/core/ids.ts'
import { toPoolId, toRoot } from '../operator/core/parse.ts'
import type { CeremonyContext, CeremonySecrets } from '../operator/core/ports/ceremony.ts'
import { thresholdOf } from '../operator/core/vault.ts'
import { blst } from '../operator/protocol/bls/backend.ts'
import { mayHold } from '../operator/protocol/dkg/join.ts'
import { resultOf } from '../operator/protocol/dkg/result.ts'
import { type CeremonyStatement, ceremonyDigest, dealingHash, dkgResultDigest } from '../operator/protocol/messages/ceremony.ts'
import { addressOf, ecdsaVerifier, signEcdsa } from '../operator/protocol/messages/ecdsa.ts'
import { domainSeparatorOf } from '../operator/protocol/messages/eip712.ts'
import { qbftDigest } from '../operator/protocol/messages/qbft.ts'
import { INSTANCE_CODES } from '../operator/protocol/qbft/types.ts'
import { createCeremonySecrets } from '../operator/signer/ceremony-secrets.ts'
import type { CeremonyState } from '../operator/signer/ceremony-state.ts'
import { CeremonyError } from '../operator/signer/errors.ts'
import { createSigningKey } from '../operator/signer/signing-key.ts'
import { ADDRESSES } from './vault/ceremonies.ts'

/** The secret half of a ceremony with a memory for a disk. */
function diskless(): CeremonySecrets {
  let held: CeremonyState | undefined
  const keep = (_: CeremonyContext, state: CeremonyState): void => {
    held = state
  }
  const states = {
    find: () => held,
    get: () => {
      if (held === undefined) throw new CeremonyError('NOT_BEGUN', 'not begun')
      return held
    },
    save: async (context: CeremonyContext, state: CeremonyState) => keep(context, state),
    keep,
    settle: async () => {},
    erase: async () => {},
  }
  return createCeremonySecrets(states, { list: () => [], get: () => undefined, remove: () => {}, add: async () => {} })
}

type Party = {
  readonly context: CeremonyContext
  readonly secrets: CeremonySecrets
  readonly operatorKey: Uint8Array
  readonly operator: Address
}
type Signed = { readonly digest: () => Root; readonly signature: EcdsaSignature; readonly address: Address }

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Everybody does a step; the time of the first one counts. */
class Stopwatch {
  readonly #parties: readonly Party[]
  spentMs = 0

  constructor(parties: readonly Party[]) {
    this.#parties = parties
  }

  async all<T>(step: (party: Party) => T | Promise<T>): Promise<readonly T[]> {
    const done: T[] = []
    for (const party of this.#parties) {
      const start = cpuMs()
      done.push(await step(party))
      if (party === this.#parties[0]) this.spentMs += cpuMs() - start
    }
    return done
  }
}

/**
 * CPU, in milliseconds, of what one member must calculate in any case: its own dealing and checks, and the verification of the
 * messages and proofs of all others. One sample for each run.
 */
export async function floorOf(options: {
  readonly size: number
  readonly runs: number
  readonly warmUp: number
}): Promise<readonly number[]> {
  const { size, runs, warmUp } = options
  const samples: number[] = []
  for (let run = -warmUp; run < runs; run++) {
    const sample = await floorOnce(size)
    if (run >= 0) samples.push(sample)
  }
  return samples
}

/** As another member has it: hashes that its author keeps do not come with it. */
function received(statement: CeremonyStatement): CeremonyStatement {
  return statement.kind === 'dealing' ? { ...statement, dealing: { ...statement.dealing } } : statement
}

async function floorOnce(size: number): Promise<number> {
  const qualified = Array.from({ length: size }, (_, at) => (at + 1) as MemberIndex)
  const place = { chainId: 1n, contract: ADDRESSES.poolRegistry, poolId: toPoolId(1), kind: 'dkg', round: 0 } as const
  const parties = qualified.map((self): Party => {
    const operatorKey = new Uint8Array(32).fill(self)
    const context = { ...place, size, threshold: thresholdOf(size), self }
    return { context, secrets: diskless(), operatorKey, operator: addressOf(operatorKey) }
  })
  const watch = new Stopwatch(parties)
  const verify = ecdsaVerifier()
  const say = async (statementOf: (party: Party) => CeremonyStatement): Promise<void> => {
    const said = await watch.all((party): Signed => {
      const statement = statementOf(party)
      const signature = signEcdsa(ceremonyDigest(place, statement), party.operatorKey)
      return { digest: () => ceremonyDigest(place, received(statement)), signature, address: party.operator }
    })
    await hear(said)
  }
  const hear = async (said: readonly Signed[]): Promise<void> => {
    await watch.all(({ operator }) => {
      for (const { digest, signature, address } of said)
        if (address !== operator && !verify({ digest: digest(), signature, address })) throw new Error('expected a good signature')
    })
  }

  const joinKeys = await watch.all(({ secrets, context }) => secrets.begin(context))
  const proofs = await watch.all(({ secrets, context }) => secrets.possession(context))
  const joins = qualified.flatMap((member, at) => {
    const [joinKey, proof] = [joinKeys[at], proofs[at]]
    return joinKey === undefined || proof === undefined ? [] : [{ kind: 'join', member, joinKey, proof } as const]
  })
  const of = <T>(list: readonly T[], { context }: Party): T => list[context.self - 1] as T
  await say((party) => of(joins, party))
  await watch.all(({ context }) => {
    for (const join of joins) if (join.member !== context.self && !mayHold(place, join)) throw new Error('expected a good proof')
  })
  const dealings = await watch.all(({ secrets, context }) => secrets.deal(context, joinKeys))
  await say((party) => ({ kind: 'dealing', dealing: of(dealings, party) }))
  await watch.all(async ({ secrets, context }) => {
    for (const dealing of dealings) await secrets.open(context, dealing)
  })
  const hashes = dealings.map((dealing) => dealingHash(place, dealing))
  await say(({ context }) => ({ kind: 'checked', member: context.self, dealings: hashes }))
  for (const type of ['prepare', 'commit'] as const) {
    const value = toRoot(`0x${'5e'.repeat(32)}`)
    const statement = { type, round: 1, value, preparedRound: 0, preparedValue: toRoot(`0x${'00'.repeat(32)}`) }
    const instance = { poolId: 1, slot: 0, duty: INSTANCE_CODES.ceremony }
    // The same for all: worked out once.
    const digest = qbftDigest(domainSeparatorOf(place), instance, statement)
    await hear(
      await watch.all(({ operatorKey, operator }) => ({
        digest: () => digest,
        signature: signEcdsa(digest, operatorKey),
        address: operator,
      })),
    )
  }
  const reveals = await watch.all(({ secrets, context }) => secrets.reveal(context, qualified))
  await say((party) => ({ kind: 'reveal', reveal: of(reveals, party) }))
  const signingKey = createSigningKey(blst.SecretKey.fromKeygen(new Uint8Array(32).fill(1)))
  await watch.all(async ({ secrets, context }) => {
    const result = resultOf({ context, dealings, qualified, reveals })
    await secrets.sign(context, result.transcriptRoot)
    signingKey.sign(dkgResultDigest(context, result))
  })
  return watch.spentMs
}
