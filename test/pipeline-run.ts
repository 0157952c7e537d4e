/** `npm start` as a test runs it. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const start = fileURLToPath(new URL('../scripts/start.js', import.meta.url))

/** What it said in both streams, and its exit code. */
export interface PipelineRun {
  readonly code: number | null
  readonly text: string
}

/** Runs the order pipeline to its end. */
export function runPipeline(...options: readonly string[]): Promise<PipelineRun> {
  const child = spawn(process.execPath, [start, ...options])
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })))
}
