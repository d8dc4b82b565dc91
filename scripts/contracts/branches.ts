import { type AstNode, isNode, type SourceUnit, spanOf, walk } from './ast.ts'

/**
 * Hardhat counts lines and statements. Here every branch of an `if` gets a line of its own, the one not written (no `else`)
 * with an empty assembly block, so that its line counts tell of branches as well.
 */
export type Branch = { readonly line: number; readonly originalLine: number; readonly taken: 'then' | 'else' }
export type Rewritten = {
  readonly text: string
  readonly branches: readonly Branch[]
  /** Line of the original (from 1) for each line of `text`; 0 for a line that was added. */
  readonly originalLines: readonly number[]
}

const EMPTY_ELSE = ' else {\nassembly ("memory-safe") { let untaken := 0 }\n}\n'

type Insertion = { readonly at: number; readonly text: string; readonly order: number; readonly branch?: Omit<Branch, 'line'> }

/** A source with its branches on lines of their own. */
export function separateBranches(unit: SourceUnit): Rewritten {
  const insertions = [...insertionsOf(unit)].sort((a, b) => a.at - b.at || a.order - b.order)
  const branches: Branch[] = []
  const originalLines: number[] = []
  let text = ''
  let from = 0
  let line = 1
  const take = (piece: string, isOriginal: boolean) => {
    for (const char of piece) {
      if (char !== '\n') continue
      originalLines.push(isOriginal ? line : 0)
      if (isOriginal) line += 1
    }
    text += piece
  }
  for (const { at, text: inserted, branch } of insertions) {
    take(unit.text.subarray(from, at).toString(), true)
    from = at
    take(inserted, false)
    if (branch === undefined) continue
    const lines = text.split('\n').length
    branches.push({ ...branch, line: branch.taken === 'else' && inserted === EMPTY_ELSE ? lines - 2 : lines })
  }
  take(unit.text.subarray(from).toString(), true)
  originalLines.push(line)
  return { text, branches, originalLines }
}

function* insertionsOf(unit: SourceUnit): Generator<Insertion> {
  for (const [node, parents] of walk(unit.ast)) {
    if (node.nodeType !== 'IfStatement' || !isNode(node.trueBody)) continue
    const originalLine = lineOf(unit, spanOf(node).start)
    const first = firstStatement(node.trueBody)
    if (first !== undefined) yield { at: spanOf(first).start, text: '\n', order: 1, branch: { originalLine, taken: 'then' } }
    const otherwise = isNode(node.falseBody) ? firstStatement(node.falseBody) : undefined
    if (otherwise !== undefined) yield { at: spanOf(otherwise).start, text: '\n', order: 1, branch: { originalLine, taken: 'else' } }
    if (isNode(node.falseBody)) continue
    // Of nested ones that end together the inner one's else comes first: `order` falls with the depth.
    yield { at: endOf(unit, node.trueBody), text: EMPTY_ELSE, order: -parents.length, branch: { originalLine, taken: 'else' } }
  }
}

function firstStatement(body: AstNode): AstNode | undefined {
  if (body.nodeType !== 'Block' && body.nodeType !== 'UncheckedBlock') return body
  const [first] = (body.statements ?? []) as readonly AstNode[]
  return first
}

/** After a statement's semicolon, which solc leaves out of it. */
function endOf(unit: SourceUnit, node: AstNode): number {
  const { end } = spanOf(node)
  return unit.text[end] === ';'.charCodeAt(0) ? end + 1 : end
}

function lineOf(unit: SourceUnit, offset: number): number {
  return unit.text.subarray(0, offset).toString().split('\n').length
}
