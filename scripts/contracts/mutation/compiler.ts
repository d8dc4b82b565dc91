import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

type Input = {
  readonly language: string
  readonly sources: Readonly<Record<string, { readonly content: string }>>
  readonly settings: Readonly<Record<string, unknown>>
}
type BuildInfo = { readonly input: Input; readonly userSourceNameMap: Readonly<Record<string, string>> }
type Compiled = Readonly<Record<string, Readonly<Record<string, { readonly evm: { readonly bytecode: { readonly object: string } } }>>>>
type Trees = Readonly<
  Record<string, { readonly ast: { readonly nodes: readonly { readonly nodeType: string; readonly absolutePath?: string }[] } }>
>
type Output = { readonly contracts?: Compiled; readonly sources?: Trees; readonly errors?: readonly { readonly severity: string }[] }

/** Creation code (hex without 0x) by `source name:contract`. */
export type Codes = ReadonlyMap<string, string>
/** A source's new text. */
export type Change = { readonly path: string; readonly text: string }

/** npm's compiler in this process: a mutant costs what depends on it, not a build of the project. */
export class Compiler {
  readonly #solc = createRequire(import.meta.url)('solc') as { compile(input: string): string }
  readonly #build: BuildInfo
  readonly #trees: Trees
  /** As the project's build made them. */
  readonly built: Codes
  readonly #unchanged = new Map<string, string>()

  /** @param root where the project is, built. Throws when there is not exactly one build. */
  constructor(root: string) {
    const infos = globSync('artifacts/build-info/*.json', { cwd: root }).filter((path) => !path.endsWith('.output.json'))
    const [info] = infos
    if (info === undefined || infos.length > 1) throw new Error(`expected one build in ${root}, found ${infos.length}`)
    this.#build = JSON.parse(readFileSync(join(root, info), 'utf8')) as BuildInfo
    const { output } = JSON.parse(readFileSync(join(root, info.replace(/json$/, 'output.json')), 'utf8')) as { output: Output }
    this.built = codesOf(output)
    this.#trees = output.sources ?? {}
  }

  /** Contracts that can be created and whose sources import this one, at any remove, or are this one. */
  dependents(path: string): readonly string[] {
    const changed = this.#sourceName(path)
    return [...this.built.keys()].filter((name) => this.#closure([sourceOf(name)]).has(changed))
  }

  /**
   * Creation codes of the contracts that a change alters; undefined when it does not compile. Without the metadata, which every
   * change alters: so an empty answer means that the compiler itself proves the change to be none.
   */
  altered(change: Change, wanted: readonly string[]): Codes | undefined {
    const codes = this.#compile(wanted, change)
    if (codes === undefined) return undefined
    const unknown = wanted.filter((name) => !this.#unchanged.has(name))
    for (const [name, code] of unknown.length === 0 ? [] : (this.#compile(unknown) ?? [])) this.#unchanged.set(name, code)
    return new Map([...codes].filter(([name, code]) => this.#unchanged.get(name) !== code))
  }

  #compile(wanted: readonly string[], change?: Change): Codes | undefined {
    const { language, sources, settings } = this.#build.input
    const changed = change === undefined ? undefined : this.#sourceName(change.path)
    const needed = [...this.#closure(wanted.map(sourceOf))].map((name) => {
      const content = name === changed && change !== undefined ? change.text : sources[name]?.content
      return [name, { content }] as const
    })
    const selection: Record<string, Record<string, string[]>> = {}
    for (const name of wanted) selection[sourceOf(name)] = { ...selection[sourceOf(name)], [contractOf(name)]: ['evm.bytecode.object'] }
    const input = {
      language,
      sources: Object.fromEntries(needed),
      settings: { ...settings, metadata: { appendCBOR: false }, outputSelection: selection },
    }
    const output = JSON.parse(this.#solc.compile(JSON.stringify(input))) as Output
    if (output.errors?.some(({ severity }) => severity === 'error')) return undefined
    return codesOf(output)
  }

  /** These sources and all they import. */
  #closure(names: readonly string[]): ReadonlySet<string> {
    const found = new Set<string>()
    const left = [...names]
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      if (found.has(name)) continue
      found.add(name)
      const imports = this.#trees[name]?.ast.nodes.filter(({ nodeType }) => nodeType === 'ImportDirective') ?? []
      for (const { absolutePath } of imports) if (absolutePath !== undefined) left.push(absolutePath)
    }
    return found
  }

  #sourceName(path: string): string {
    const name = this.#build.userSourceNameMap[path]
    if (name === undefined) throw new Error(`expected ${path} among the built sources, found no such`)
    return name
  }
}

const sourceOf = (name: string) => name.slice(0, name.lastIndexOf(':'))
const contractOf = (name: string) => name.slice(name.lastIndexOf(':') + 1)

function codesOf({ contracts = {} }: Output): Codes {
  const codes = new Map<string, string>()
  for (const [source, made] of Object.entries(contracts)) {
    for (const [contract, { evm }] of Object.entries(made)) {
      if (evm.bytecode.object !== '') codes.set(`${source}:${contract}`, evm.bytecode.object)
    }
  }
  return codes
}
