import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hexToBytes } from '../../../../../operator/core/parse.ts'
import type { Dealing } from '../../../../../operator/core/ports/ceremony.ts'
import { multiply } from '../../../../../operator/protocol/bls/points.ts'
import { scalarFromBytes, scalarToBytes } from '../../../../../operator/protocol/bls/scalars.ts'
import { joinKeyPoint, sharePad, xorShare } from '../../../../../operator/protocol/dkg/dealing.ts'
import { createCeremonySecrets } from '../../../../../operator/signer/ceremony-secrets.ts'
import type { CeremonyState } from '../../../../../operator/signer/ceremony-state.ts'
import { newCeremonyDisk, seededDraw, sharesOn, statesOn } from '../../../simulation/ceremony/disk.ts'
import { contextOf } from './support.ts'

const DEALINGS = 640
/** Of χ² with 15 degrees of freedom: one in 10,000 is larger. The seed is fixed, so this fails always or never. */
const CRITICAL_15 = 44.3

const lowBits = (bytes: Uint8Array, bits: number): number => (bytes[31] ?? 0) & ((1 << bits) - 1)

function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

/** Dealings by the shipped code: what t − 1 of 4 members decrypt, and the constant term that they want to know. */
async function sample(): Promise<readonly { readonly shares: readonly Uint8Array[]; readonly secret: Uint8Array }[]> {
  const context = contextOf(4)
  const draw = seededDraw('secrecy')
  const receivers = [1, 2, 3, 4].map((self) => ({ self, disk: newCeremonyDisk() }))
  const joinKeys = await Promise.all(
    receivers.map(({ self, disk }) => createCeremonySecrets(statesOn(disk), sharesOn(disk), draw).begin(contextOf(4, self))),
  )
  const dealt = async (at: number) => {
    const disk = newCeremonyDisk()
    const secrets = createCeremonySecrets(statesOn(disk), sharesOn(disk), seededDraw('secrecy', at))
    const own = await secrets.begin(context)
    const dealing: Dealing = await secrets.deal(context, joinKeys.with(0, own))
    const state: CeremonyState = JSON.parse([...disk.states.values()][0] ?? '{}')
    const shares = [2, 3].map((member) => {
      const { ephemeral }: CeremonyState = JSON.parse([...(receivers[member - 1]?.disk.states.values() ?? [])][0] ?? '{}')
      const shared = multiply(joinKeyPoint(own, 1), scalarFromBytes(hexToBytes(ephemeral)))
      return xorShare(hexToBytes(dealing.ciphertexts[member - 1] ?? '0x'), sharePad(shared, context, 1, member))
    })
    return { shares, secret: scalarToBytes(scalarFromBytes(hexToBytes(state.own?.coefficients[0] ?? '0x'))) }
  }
  return Promise.all(Array.from({ length: DEALINGS }, (_, at) => dealt(at)))
}

describe('t − 1 shares of a dealing', () => {
  it('A32 are spread alike whatever the secret is: they say nothing of it', async () => {
    const samples = await sample()
    for (const secretBit of [0, 1]) {
      const cells = Array.from({ length: 16 }, () => 0)
      for (const { shares, secret } of samples) {
        if (lowBits(secret, 1) !== secretBit) continue
        const cell = shares.reduce((place, share) => place * 4 + lowBits(share, 2), 0)
        cells[cell] = (cells[cell] ?? 0) + 1
      }
      assert.ok(chiSquare(cells) < CRITICAL_15, `secret bit ${secretBit}: ${cells.join()}`)
    }
    // The test can tell: shares that leaked the secret's bit would not pass.
    const leaking = Array.from({ length: 16 }, () => 0)
    for (const { shares, secret } of samples) {
      const [first = new Uint8Array(32), second = new Uint8Array(32)] = shares
      const cell = lowBits(first, 2) * 4 + (lowBits(second, 2) & 2) + lowBits(secret, 1) * (lowBits(first, 1) === 0 ? 1 : 0)
      leaking[cell] = (leaking[cell] ?? 0) + 1
    }
    assert.ok(chiSquare(leaking) > CRITICAL_15)
  })
})
