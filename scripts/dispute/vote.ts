import type { ProducerId } from '../../operator/core/ids.ts'
import { toProducerId, toRoot } from '../../operator/core/parse.ts'
import type { Call } from '../../operator/core/ports/chain.ts'
import { signatureToEip2537 } from '../../operator/protocol/bls/points.ts'
import { aggregateSignatures } from '../../operator/protocol/bls/signatures.ts'
import { wordsOf } from '../../operator/protocol/bls/words.ts'
import { readNamed } from '../../operator/signer/files.ts'
import { decryptKeystore } from '../../operator/signer/keystore.ts'
import { passwordFrom } from '../../operator/signer/password.ts'
import { createSigningKey } from '../../operator/signer/signing-key.ts'
import { ask, type Court, commitmentOf } from './court.ts'
import { DisputeError } from './errors.ts'

export const BALLOTS = ['uphold', 'wrong', 'unavailable'] as const
export type Ballot = (typeof BALLOTS)[number]
type SigningKey = ReturnType<typeof createSigningKey>

const WORD = 256
const LIST_A_CALL = 500

/** A producer's BLS signing key from its EIP-2335 file (signer/signing-key.json of a data folder). Throws `SignerError`. */
export async function openSigningKey(path: string, passwordFile: string): Promise<SigningKey> {
  const text = readNamed(path).toString('utf8')
  return createSigningKey(await decryptKeystore({ text, password: passwordFrom({ file: passwordFile }), path }))
}

/** Ballots of these keys' producers on a commitment, as one call. Throws `DisputeError` UNKNOWN for a key that may not vote. */
export async function ballotOf({
  court,
  commitmentId,
  ballot,
  keys,
}: {
  readonly court: Court
  readonly commitmentId: number
  readonly ballot: Ballot
  readonly keys: readonly SigningKey[]
}): Promise<{ readonly voters: readonly ProducerId[]; readonly call: Call }> {
  const { epoch } = commitmentOf(court, commitmentId)
  const { firstPeriod, periodLength } = court.deployment.parameters
  const period = Math.floor((epoch - firstPeriod) / periodLength)
  const list = await listOf(court, period)
  const voters = keys.map(({ publicKey }) => {
    const producer = [...court.state.producers.values()].find(({ signingKey }) => signingKey === publicKey)
    const isListed = producer !== undefined && list.includes(producer.id)
    const isCommittee = producer !== undefined && court.state.periods.get(period)?.committee?.includes(producer.id)
    if (isListed && !isCommittee) return producer.id
    const why =
      producer === undefined
        ? 'is no producer’s'
        : isCommittee
          ? 'is of the committee that signed'
          : `is not in the list of period ${period}`
    throw new DisputeError('UNKNOWN', `the key ${publicKey} may not vote on commitment ${commitmentId}: it ${why}`, { publicKey })
  })
  const words = Array.from({ length: Math.ceil(list.length / WORD) }, () => 0n)
  for (const id of voters) {
    const position = list.indexOf(id)
    const word = Math.floor(position / WORD)
    words[word] = (words[word] ?? 0n) | (1n << BigInt(position % WORD))
  }
  const number = BALLOTS.indexOf(ballot)
  const made = (await ask(court, { contract: 'stateCommitments', method: 'commitment', args: [commitmentId] })) as { contentHash: string }
  const digest = toRoot(await ask(court, { contract: 'votes', method: 'digest', args: [commitmentId, made.contentHash, number] }))
  const signature = wordsOf(signatureToEip2537(aggregateSignatures(keys.map((key) => key.sign(digest)))))
  return { voters, call: { contract: 'votes', method: 'cast', args: [commitmentId, number, words, signature] } }
}

async function listOf(court: Court, period: number): Promise<readonly ProducerId[]> {
  const size = Number(await ask(court, { contract: 'periods', method: 'sizeAt', args: [period] }))
  const list: ProducerId[] = []
  while (list.length < size) {
    const some = await ask(court, {
      contract: 'periods',
      method: 'listAt',
      args: [period, list.length, Math.min(LIST_A_CALL, size - list.length)],
    })
    list.push(...[...(some as Iterable<unknown>)].map(toProducerId))
  }
  return list
}
