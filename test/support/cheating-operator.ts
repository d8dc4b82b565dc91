import { runCommand } from '../../operator/app/cli/commands/run.ts'
import { run } from '../../operator/app/run.ts'
import type { CeremonySecrets, Dealing } from '../../operator/core/ports/ceremony.ts'
import { openSigner } from '../../operator/signer/open.ts'

/** The dealing with another share for one of its receivers: each bit of the ciphertext's last byte is turned. */
function cheat(dealing: Dealing): Dealing {
  const victim = dealing.ciphertexts.findIndex((ciphertext, at) => ciphertext !== null && at !== dealing.dealer - 1)
  const turned = (ciphertext: string) =>
    `0x${ciphertext.slice(2, -2)}${(255 - Number.parseInt(ciphertext.slice(-2), 16)).toString(16).padStart(2, '0')}`
  const ciphertexts = dealing.ciphertexts.map((one, at) => (at === victim && one !== null ? (turned(one) as typeof one) : one))
  return { ...dealing, ciphertexts }
}

// The shipped operator in all but one thing: in key generations it deals one member a share that does not fit its commitments.
const openLyingSigner: typeof openSigner = async (options) => {
  const signer = await openSigner(options)
  const deal: CeremonySecrets['deal'] = async (context, joinKeys) => cheat(await signer.ceremony.deal(context, joinKeys))
  return { ...signer, ceremony: { ...signer.ceremony, deal } }
}

await runCommand((config) => run(config, openLyingSigner)).parseAsync(process.argv.slice(3), { from: 'user' })
