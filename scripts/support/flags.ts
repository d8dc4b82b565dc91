import { type ParseArgsConfig, parseArgs } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>
type Program<O extends Options> = {
  /** As in `npm run NAME`. */
  readonly name: string
  readonly help: string
  /** Its own, besides --help. */
  readonly options: O
  /** Does it take words that are no flags? */
  readonly words?: boolean
}
type Flags<O extends Options> = {
  readonly values: ReturnType<typeof parseArgs<{ options: O }>>['values']
  readonly words: readonly string[]
}

const HELP = { help: { type: 'boolean', short: 'h' } } as const

/**
 * A script's flags, read before anything is begun. --help prints the help and ends the process with status 0; what the script does
 * not know ends it with status 1 and a sentence.
 */
export function readFlags<const O extends Options>({ name, help, options, words = false }: Program<O>): Flags<O> {
  const { values, positionals } = parsed({ name, options, words })
  if (values.help !== true) return { values: values as Flags<O>['values'], words: positionals }
  console.log(help.trimEnd())
  process.exit(0)
}

function parsed({ name, options, words }: { readonly name: string; readonly options: Options; readonly words: boolean }) {
  try {
    return parseArgs({ options: { ...options, ...HELP }, allowPositionals: words })
  } catch (error) {
    // What follows the first sentence is advice about Node's own interface.
    return refuse(name, String((error as Error).message).split(/\. |\n/)[0] ?? '')
  }
}

type Bounds = { readonly least: number; readonly most?: number; readonly fraction?: true }

/**
 * The number that a flag was given, whole unless a `fraction` will do. Ends the process with status 1 and a sentence when it is none,
 * or out of bounds.
 */
export function numberOf(name: string, flags: Readonly<Record<string, string>>, { least, most, fraction }: Bounds): number {
  const [[flag, text] = ['', '']] = Object.entries(flags)
  const value = (fraction ? /^\d+(\.\d+)?$/ : /^\d+$/).test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= (most ?? Number.MAX_SAFE_INTEGER)) return value
  const range = most === undefined ? `from ${least}` : `from ${least} to ${most}`
  return refuse(name, `--${flag}: expected a ${fraction ? '' : 'whole '}number ${range}, got ${text === '' ? 'nothing' : text}`)
}

/** Ends the process with status 1 and a sentence about how a script was called. */
export function refuse(name: string, reason: string): never {
  console.error(`${name}: ${reason}\nSee npm run ${name} -- --help.`)
  process.exit(1)
}
