#!/usr/bin/env node
import { existsSync } from 'node:fs'

// In a clone there are sources beside this file, and what they build may be missing or old.
if (existsSync(new URL('../src/cli/index.ts', import.meta.url))) {
  const { buildIfStale } = await import('../scripts/build.js')
  await buildIfStale()
}
const { main } = await import('../dist/cli/index.js')
await main(process.argv.slice(2))
