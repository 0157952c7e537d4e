/** A service that runs in a child process, and what it has said so far. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const worker = fileURLToPath(new URL('service-worker.ts', import.meta.url))

export class ChildService implements AsyncDisposable {
  readonly lines: string[] = []
  /** What it wrote to standard error. */
  errors = ''
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string | null>
  readonly #child

  constructor(
    env: Readonly<Record<string, string>>,
    program = worker,
    args: readonly string[] = [],
  ) {
    const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line))
    child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()))
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal))
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** What came behind a word, in order. */
  after(word: string): string[] {
    const start = `${word} `
    return this.lines
      .filter((line) => line.startsWith(start))
      .map((line) => line.slice(start.length))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }
}
