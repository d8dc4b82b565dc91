import { globSync, readFileSync } from 'node:fs'

export interface NamedTest {
  readonly file: string
  /** As written in the source: placeholders of a template stay as they are. */
  readonly name: string
}

/** A call of a test or a group of tests whose first argument is a name; skipped ones (`it.skip`) are none. */
const CALL = /(?:^|[^.\w])(?:it|test|describe)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g
const SOLIDITY = /function ((?:test|invariant)\w*)\(/g

/** The tests of the repository, or of one file, read from their sources. */
export function testNames(file?: string): readonly NamedTest[] {
  const files = file === undefined ? globSync(['test/**/*.test.ts', 'test/contracts/**/*.t.sol', 'test/contracts/**/*.sol']).sort() : [file]
  return [...new Set(files)].flatMap((path) => {
    const source = readFileSync(path, 'utf8')
    const found = path.endsWith('.sol')
      ? [...source.matchAll(SOLIDITY)].map(([, name]) => name)
      : [...source.matchAll(CALL)].map(([, , name]) => name)
    return found.flatMap((name) => (name === undefined ? [] : [{ file: path, name: name.replace(/\\(.)/g, '$1') }]))
  })
}
