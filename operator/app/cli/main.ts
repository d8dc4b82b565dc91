#!/usr/bin/env -S node --import tsx
import { createProgram } from './program.ts'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.stderr.write(`openpools: ${error instanceof Error ? error.message : String(error)}\n`)
  // Whatever was begun when it failed is of no use any more.
  process.exit(1)
}
