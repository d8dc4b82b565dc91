import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encryptKeystoreJson, HDNodeWallet, Mnemonic } from 'ethers'

export type Person = { readonly name: string; readonly address: string; readonly keyFile: string; readonly passwordFile: string }

const PASSWORD = 'a local network keeps no secrets'
/** Cheap on purpose: these keys guard nothing, and dozens are made. */
const SCRYPT = { N: 1024, r: 8, p: 1 } as const

/** The prefunded account at a place of the chain's mnemonic. */
export function accountAt(mnemonic: string, place: number): HDNodeWallet {
  return HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(mnemonic), `m/44'/60'/0'/0/${place}`)
}

/** A person with an encrypted key file, as a real one would have. */
export async function createPerson(input: {
  readonly name: string
  readonly mnemonic: string
  readonly place: number
  readonly folder: string
}): Promise<Person> {
  const wallet = accountAt(input.mnemonic, input.place)
  const keyFile = join(input.folder, `${input.name}.json`)
  const passwordFile = join(input.folder, 'password.txt')
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 })
  const json = await encryptKeystoreJson({ address: wallet.address, privateKey: wallet.privateKey }, PASSWORD, { scrypt: SCRYPT })
  writeFileSync(keyFile, json, { mode: 0o600 })
  return { name: input.name, address: wallet.address, keyFile, passwordFile }
}
