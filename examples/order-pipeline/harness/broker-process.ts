import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../../bin/millrace.js', import.meta.url))
const downMs = 500

/** The embedded broker in a process of its own, with its data on disk: it can be killed, and comes back as it was. */
export class BrokerProcess implements AsyncDisposable {
  readonly #data: string
  readonly #options: readonly string[]
  #child: ChildProcess | undefined
  #port = '0'

  /** Use `BrokerProcess.start`. */
  private constructor(data: string, properties: Readonly<Record<string, string>>) {
    this.#data = data
    this.#options = Object.entries(properties).flatMap(([name, value]) => [
      '--set',
      `${name}=${value}`,
    ])
  }

  static async start(properties: Readonly<Record<string, string>>): Promise<BrokerProcess> {
    const broker = new BrokerProcess(await mkdtemp(join(tmpdir(), 'order-pipeline-')), properties)
    await broker.#start()
    return broker
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#port}`
  }

  /** Ends it as a crash does, and starts it again on what is on its disk. */
  async crash(): Promise<void> {
    await this.#end('SIGKILL')
    await sleep(downMs)
    await this.#start()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGTERM')
    await rm(this.#data, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const options = ['--port', this.#port, '--data', this.#data, ...this.#options]
    const child = spawn(process.execPath, [program, 'broker', ...options], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#child = child
    this.#port = await new Promise<string>((resolve, reject) => {
      let told = ''
      child.stdout.on('data', (chunk: Buffer) => {
        told += chunk.toString()
        const port = /127\.0\.0\.1:(\d+)/.exec(told)?.[1]
        if (port !== undefined) resolve(port)
      })
      child.once('exit', (code) => reject(new Error(`the broker ended with ${code}: ${told}`)))
    })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }
}
