import { globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A node of solc's abstract syntax tree: what is common to all, and whatever its type adds. */
export type AstNode = { readonly nodeType: string; readonly src: string; readonly [key: string]: unknown }

/** One source of ours: path from the project's root, text as bytes (solc counts in bytes), and its tree. */
export type SourceUnit = { readonly path: string; readonly text: Buffer; readonly ast: AstNode }

export type Span = { readonly start: number; readonly end: number }

/** Bytes of the source that a node covers. */
export function spanOf(node: AstNode): Span {
  const [start = 0, length = 0] = node.src.split(':').map(Number)
  return { start, end: start + length }
}

export function isNode(value: unknown): value is AstNode {
  return typeof value === 'object' && value !== null && 'nodeType' in value && 'src' in value
}

/** Every node below and with `node`, each with its parents from the nearest up. */
export function* walk(node: AstNode, parents: readonly AstNode[] = []): Generator<readonly [AstNode, readonly AstNode[]]> {
  yield [node, parents]
  const below = [node, ...parents]
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* walk(child, below)
  }
}

/**
 * The sources under contracts/ with their trees, from the newest build of the project in `root`.
 * Throws when there is no build.
 */
export function sourceUnits(root: string): readonly SourceUnit[] {
  const outputs = globSync('artifacts/build-info/*.output.json', { cwd: root }).map((path) => join(root, path))
  const newest = outputs.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
  const units = new Map<string, SourceUnit>()
  for (const path of newest) {
    const { output } = JSON.parse(readFileSync(path, 'utf8')) as { output: { sources: Record<string, { ast: AstNode }> } }
    for (const [name, { ast }] of Object.entries(output.sources)) {
      if (!name.startsWith('project/contracts/')) continue
      const source = name.slice('project/'.length)
      units.set(source, { path: source, text: readFileSync(join(root, source)), ast })
    }
  }
  if (units.size === 0) throw new Error(`expected a build of the contracts in ${root}, found none: run \`npm run build\` first`)
  return [...units.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}
