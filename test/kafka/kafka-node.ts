/** One Apache Kafka process: its configuration, its life, its log. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FrameConnection } from './frame-connection.ts'
import type { ProcessGuard } from './process-guard.ts'

const run = promisify(execFile)

/** Fast to start on few cores. */
export const quickJavaOptions = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
]

export interface KafkaNodeOptions {
  readonly id: number
  readonly clusterId: string
  readonly classPath: string
  readonly folder: string
  /** Where clients and the other nodes reach it. */
  readonly address: string
  readonly properties: Readonly<Record<string, string>>
  readonly users: Readonly<Record<string, string>>
  /** What Java's own properties are set to, besides those of the configuration. */
  readonly systemProperties: Readonly<Record<string, string>>
  /** For the process that serves: its memory and its compilers. */
  readonly javaOptions: readonly string[]
  readonly guard: ProcessGuard
}

/**
 * States: stopped → running → stopped, any number of times; the data stays. A process that ends
 * by itself (a crash) leaves the node stopped too.
 */
export class KafkaNode {
  readonly id: number
  readonly address: string
  readonly #options: KafkaNodeOptions
  #child: ChildProcess | undefined

  constructor(options: KafkaNodeOptions) {
    this.id = options.id
    this.address = options.address
    this.#options = options
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  /** The process, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Writes the configuration and formats the data folder. */
  async format(): Promise<void> {
    const { clusterId, classPath, properties, users } = this.#options
    await mkdir(this.#path('data'), { recursive: true })
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
    await writeFile(this.#path('server.properties'), lines.join(''))
    // With an equals sign, since a random id may start with a minus sign.
    const tool = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`]
    const scram = Object.entries(users).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    )
    await run('java', [
      ...quickJavaOptions,
      '-cp',
      classPath,
      ...tool,
      ...scram,
      '-c',
      this.#path('server.properties'),
    ])
  }

  /** Starts the process; see `ready` for when it serves. */
  launch(): void {
    if (this.#child !== undefined) throw new Error(`Kafka node ${this.id} is already running`)
    const log = openSync(this.#path('server.log'), 'a')
    const logging = '-Dorg.slf4j.simpleLogger.showDateTime=true'
    const child = spawn(
      'java',
      [
        ...this.#options.javaOptions,
        logging,
        ...Object.entries(this.#options.systemProperties).map(
          ([name, value]) => `-D${name}=${value}`,
        ),
        '-cp',
        this.#options.classPath,
        'kafka.Kafka',
        this.#path('server.properties'),
      ],
      // A group of its own: Ctrl-C must reach the tests, which end the node in order.
      { stdio: ['ignore', log, log], detached: true },
    )
    closeSync(log)
    this.#child = child
    const pid = child.pid
    if (pid !== undefined) this.#options.guard.add(pid)
    child.once('exit', () => {
      if (pid !== undefined) this.#options.guard.remove(pid)
      this.#child = undefined
    })
    child.unref()
  }

  /** Resolves when the node answers and knows of `nodeCount` brokers; rejects when it has ended. */
  async ready(nodeCount: number): Promise<void> {
    for (;;) {
      if (this.#child === undefined) throw await this.#failure('ended while it was starting')
      if ((await brokerCount(this.address)) >= nodeCount) return
      await pause(50)
    }
  }

  /** Asks the process to end in order, and waits until it has. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  /** Ends the process as a power cut of this node would: nothing is flushed. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Stops the process being scheduled, its connections stay open. `resume` undoes it. */
  suspend(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Everything the process has written, over all its starts. */
  log(): Promise<string> {
    return readFile(this.#path('server.log'), 'utf8')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    child.ref()
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  async #failure(what: string): Promise<Error> {
    const log = await this.log()
    return new Error(`Kafka node ${this.id} ${what}:\n${log.split('\n').slice(-40).join('\n')}`)
  }

  #path(name: string): string {
    return join(this.#options.folder, `node-${this.id}`, name)
  }
}

/** How many brokers the one at `address` knows; 0 while it does not answer. */
async function brokerCount(address: string): Promise<number> {
  try {
    using connection = await FrameConnection.open(address)
    // Metadata v1 for no topic: header v1 (key, version, correlation id, client id null), [].
    const request = Buffer.from('0003000100000000ffff00000000', 'hex')
    // After the correlation id comes the array of brokers.
    return (await connection.request(request)).readInt32BE(4)
  } catch {
    return 0
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
