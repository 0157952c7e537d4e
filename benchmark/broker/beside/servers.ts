import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRealKafka } from '../../../test/kafka/real-kafka.ts'
import { startBrokerProcess } from '../process.ts'

/** A broker that is measured, in a process of its own. */
export interface Server extends AsyncDisposable {
  readonly name: ServerName
  readonly bootstrap: string
  readonly pid: number
}

/** The brokers that are compared. Kafka and kfake answer before anything is on the disk. */
export type ServerName =
  | 'millrace'
  | 'millrace --data'
  | 'millrace --data (page cache)'
  | 'kafka'
  | 'kafka (flush)'
  | 'kfake'

/** What Kafka's own scripts give a broker, but for the machine's tools to look into it. */
const javaOptions = ['-Xms1g', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']

const kafkaProperties = {
  'log.segment.delete.delay.ms': '1000',
  // What is measured with a lot in the log must keep it, and be as large in both.
  'num.network.threads': '3',
  'num.io.threads': '8',
}

type Started = Omit<Server, 'name'>

export async function startServer(name: ServerName): Promise<Server> {
  return { name, ...(await start(name)) }
}

function start(name: ServerName): Promise<Started> {
  switch (name) {
    case 'millrace':
      return startOurs()
    case 'millrace --data':
      return startOurs('sync')
    case 'millrace --data (page cache)':
      return startOurs('page-cache')
    case 'kafka':
      return startKafka({})
    case 'kafka (flush)':
      return startKafka({ 'log.flush.interval.messages': '1' })
    case 'kfake':
      return startKfake()
  }
}

async function startOurs(durability?: 'sync' | 'page-cache'): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-benchmark-'))
  const options = durability === undefined ? [] : ['--data', folder, '--durability', durability]
  const broker = await startBrokerProcess(...options)
  return {
    pid: broker.pid,
    bootstrap: `127.0.0.1:${broker.port}`,
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function startKafka(properties: Readonly<Record<string, string>>): Promise<Started> {
  const kafka = await startRealKafka({
    properties: { ...kafkaProperties, ...properties },
    javaOptions,
  })
  const pid = kafka.nodes[0]?.pid
  if (pid === undefined) throw new Error('Kafka has no process')
  return { pid, bootstrap: kafka.bootstrap, [Symbol.asyncDispose]: () => kafka.close() }
}

const kfakeSource = fileURLToPath(new URL('kfake', import.meta.url))
const kfakeProgram = fileURLToPath(new URL('../../../.cache/kfake/kfake', import.meta.url))

/** Why kfake cannot be run on this machine; undefined when it can. */
export function missingKfake(): string | undefined {
  if (spawnSync('go', ['version']).status !== 0) return 'Go is not installed'
  try {
    execFileSync('go', ['build', '-o', kfakeProgram, '.'], { cwd: kfakeSource, stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `Go could not build it: ${String(error)}`
  }
}

async function startKfake(): Promise<Started> {
  const child = spawn(kfakeProgram, [], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  for await (const chunk of child.stdout) {
    said += String(chunk)
    const match = /listening on (\S+)\n/.exec(said)
    if (match === null) continue
    return {
      pid: child.pid ?? 0,
      bootstrap: match[1] ?? '',
      async [Symbol.asyncDispose]() {
        if (child.exitCode !== null) return
        child.kill('SIGTERM')
        await once(child, 'exit')
      },
    }
  }
  throw new Error(`kfake has ended: ${said}`)
}
