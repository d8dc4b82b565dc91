import { createHash } from 'node:crypto'
import { type AstNode, isNode, type SourceUnit, type Span, spanOf, walk } from './ast.ts'

/** One small change to one contract: the bytes of `span` become `replacement`. */
export type Mutant = {
  /** Stable while the function around it stays as it is. */
  readonly id: string
  readonly path: string
  readonly line: number
  readonly span: Span
  readonly original: string
  readonly replacement: string
}

const BINARY: Readonly<Record<string, readonly string[]>> = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '<': ['<=', '>'],
  '<=': ['<', '>'],
  '>': ['>=', '<'],
  '>=': ['>', '<'],
  '==': ['!='],
  '!=': ['=='],
  '&&': ['||'],
  '||': ['&&'],
  '&': ['|'],
  '|': ['&'],
  '<<': ['>>'],
  '>>': ['<<'],
}
const ASSIGNMENT: Readonly<Record<string, string>> = { '+=': '-=', '-=': '+=', '|=': '&=', '&=': '|=', '<<=': '>>=', '>>=': '<<=' }
/** Of inline assembly. */
const YUL: Readonly<Record<string, string>> = {
  add: 'sub',
  sub: 'add',
  mul: 'div',
  div: 'mul',
  shl: 'shr',
  shr: 'shl',
  lt: 'gt',
  gt: 'lt',
  and: 'or',
  or: 'and',
}
const UNARY: Readonly<Record<string, string>> = { '++': '--', '--': '++' }

type Change = { readonly span: Span; readonly replacement: string }

/** Every change that the operators below make to a source: operators, constants, conditions of refusals, modifiers, effects. */
export function mutantsOf(unit: SourceUnit): readonly Mutant[] {
  const mutants: Mutant[] = []
  for (const [node, parents] of walk(unit.ast)) {
    const body = parents.find((parent) => parent.nodeType === 'FunctionDefinition' || parent.nodeType === 'ModifierDefinition')
    for (const change of [...changesOf(node, parents, unit)]) mutants.push(describe(unit, change, body ?? unit.ast))
  }
  return [...new Map(mutants.map((mutant) => [mutant.id, mutant])).values()]
}

function* changesOf(node: AstNode, parents: readonly AstNode[], unit: SourceUnit): Generator<Change> {
  switch (node.nodeType) {
    case 'BinaryOperation': {
      const { leftExpression: left, rightExpression: right, operator } = node
      if (isNode(left) && isNode(right))
        yield* operatorChanges(unit, { left, right, becomes: BINARY[operator as string] ?? [] }, operator as string)
      break
    }
    case 'Assignment': {
      const { leftHandSide: left, rightHandSide: right, operator } = node
      const becomes = ASSIGNMENT[operator as string]
      if (isNode(left) && isNode(right) && becomes !== undefined)
        yield* operatorChanges(unit, { left, right, becomes: [becomes] }, operator as string)
      break
    }
    case 'UnaryOperation': {
      const { start, end } = spanOf(node)
      if (node.operator === '!') yield { span: { start, end: start + 1 }, replacement: '' }
      const becomes = UNARY[node.operator as string]
      if (becomes === undefined) break
      yield { span: node.prefix === true ? { start, end: start + 2 } : { start: end - 2, end }, replacement: becomes }
      break
    }
    case 'Literal':
      yield* literalChanges(node, parents)
      break
    case 'IfStatement':
      if (isNode(node.condition)) {
        yield { span: spanOf(node.condition), replacement: 'false' }
        if (!isRefusal(node.trueBody)) yield { span: spanOf(node.condition), replacement: 'true' }
      }
      break
    case 'Conditional':
      if (isNode(node.condition)) for (const replacement of ['true', 'false']) yield { span: spanOf(node.condition), replacement }
      break
    case 'ModifierInvocation':
      // Of a constructor it is a base's arguments.
      if (node.kind === 'modifierInvocation') yield { span: spanOf(node), replacement: '' }
      break
    case 'ExpressionStatement':
      if (isNode(node.expression) && node.expression.nodeType === 'FunctionCall')
        yield { span: wholeStatement(unit, node), replacement: '' }
      break
    case 'YulFunctionCall': {
      const called = node.functionName
      const becomes = isNode(called) ? YUL[called.name as string] : undefined
      if (isNode(called) && becomes !== undefined) yield { span: spanOf(called), replacement: becomes }
      break
    }
    case 'EmitStatement':
      yield { span: wholeStatement(unit, node), replacement: '' }
      break
  }
}

function* operatorChanges(
  unit: SourceUnit,
  { left, right, becomes }: { readonly left: AstNode; readonly right: AstNode; readonly becomes: readonly string[] },
  operator: string,
): Generator<Change> {
  const from = spanOf(left).end
  const between = unit.text.subarray(from, spanOf(right).start).toString()
  const at = between.indexOf(operator)
  if (at < 0) return
  for (const replacement of becomes) yield { span: { start: from + at, end: from + at + operator.length }, replacement }
}

function* literalChanges(node: AstNode, parents: readonly AstNode[]): Generator<Change> {
  if (node.kind === 'bool') yield { span: spanOf(node), replacement: node.value === 'true' ? 'false' : 'true' }
  if (node.kind !== 'number') return
  // The length of an array type is part of an interface.
  if (parents.some((parent) => parent.nodeType === 'ArrayTypeName')) return
  const unit = typeof node.subdenomination === 'string' ? ` ${node.subdenomination}` : ''
  yield { span: spanOf(node), replacement: `(${String(node.value)}${unit} + 1)` }
}

/** Whether a branch does nothing but refuse: `true` there would only refuse always, which any test notices. */
function isRefusal(body: unknown): boolean {
  return isNode(body) && body.nodeType === 'RevertStatement'
}

/** A statement with its semicolon. */
function wholeStatement(unit: SourceUnit, node: AstNode): Span {
  const { start, end } = spanOf(node)
  return { start, end: unit.text[end] === ';'.charCodeAt(0) ? end + 1 : end }
}

function describe(unit: SourceUnit, { span, replacement }: Change, around: AstNode): Mutant {
  const original = unit.text.subarray(span.start, span.end).toString()
  const outer = spanOf(around)
  const context = unit.text.subarray(outer.start, outer.end)
  const digest = createHash('sha256')
    .update(context)
    .update(`|${span.start - outer.start}|${original}|${replacement}`)
    .digest('hex')
  const line = unit.text.subarray(0, span.start).toString().split('\n').length
  return { id: `${unit.path}:${digest.slice(0, 12)}`, path: unit.path, line, span, original, replacement }
}

/** Deterministic order for a sample: a mutant's place depends on nothing but itself and the seed. */
export function sample(mutants: readonly Mutant[], { seed, size }: { readonly seed: string; readonly size: number }): readonly Mutant[] {
  const rank = (mutant: Mutant) => createHash('sha256').update(`${seed}|${mutant.id}`).digest('hex')
  const ranked = mutants.map((mutant) => ({ mutant, rank: rank(mutant) })).sort((a, b) => (a.rank < b.rank ? -1 : 1))
  return ranked.slice(0, size).map(({ mutant }) => mutant)
}
