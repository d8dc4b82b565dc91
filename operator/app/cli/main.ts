#!/usr/bin/env -S node --import tsx
import { createProgram } from './program.ts'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.stderr.write(`openpools: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
