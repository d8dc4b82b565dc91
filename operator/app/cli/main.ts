#!/usr/bin/env -S node --import tsx
import { createProgram } from './program.ts'
import { runProgram } from './voice.ts'

await runProgram(createProgram())
