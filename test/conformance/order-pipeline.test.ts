/**
 * Promise: on any Kafka the order pipeline, its join and all, comes out even: lost 0, duplicated 0, mismatches 0.
 *
 * Proves: 6
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { conformance } from './conformance.ts'
import { chosenImplementation } from './implementation.ts'

const start = fileURLToPath(new URL('../../scripts/start.js', import.meta.url))

conformance('the order pipeline', {
  'its account comes out even': async ({ bootstrap }) => {
    // On ours it has a broker of its own: `test/order-pipeline.test.ts`.
    if (!chosenImplementation().startsWith('kafka')) return
    const options = ['--for', '3s', '--rate', '200', '--kafka', bootstrap]
    const child = spawn(process.execPath, [start, ...options])
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(text).toContain('All that was promised to be zero is zero.')
    expect(code).toBe(0)
  },
})
