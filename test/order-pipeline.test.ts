/** Promise: `npm start` shows the order pipeline, and its account finds nothing lost, doubled or out of order. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const start = fileURLToPath(new URL('../scripts/start.js', import.meta.url))

function run(
  ...options: string[]
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(process.execPath, [start, ...options])
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })))
}

it('the order pipeline keeps its account', { timeout: 120_000 }, async () => {
  const { code, text } = await run('--for', '4s', '--rate', '300')
  expect(text).toMatch(
    /join +\d\d\d+ orders paid, exactly once: lost 0, duplicated 0, mismatches 0/,
  )
  expect(text).toMatch(/enrichment +\d\d\d+ events, exactly once: lost 0, duplicated 0/)
  expect(text).toContain('All that was promised to be zero is zero.')
  expect(code).toBe(0)
})

it('the order pipeline refuses what it does not understand', { timeout: 60_000 }, async () => {
  const { code, text } = await run('--for', 'ever')
  expect(text).toContain('--for (ever) must be a time such as 30s or 2m')
  expect(code).toBe(1)
})
