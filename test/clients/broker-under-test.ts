/** Starts what the foreign clients are run against. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { makeCertificate } from '../kafka/certificate.ts'
import type { KafkaVersion } from '../kafka/kafka-jars.ts'
import { startProcessGuard, type ProcessGuard } from '../kafka/process-guard.ts'
import { startRealKafka } from '../kafka/real-kafka.ts'
import type { BrokerUnderTest } from './toolchain.ts'

const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const login = { user: 'alice', password: 'wonderland' }
/** Less waiting than by default, so that the cases take seconds; the same for every broker. */
const properties = {
  'group.consumer.heartbeat.interval.ms': '500',
  'group.consumer.min.heartbeat.interval.ms': '500',
  'group.min.session.timeout.ms': '1000',
  'group.share.heartbeat.interval.ms': '500',
  'group.share.min.heartbeat.interval.ms': '500',
  'group.share.min.record.lock.duration.ms': '1000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
}

/** Apache Kafka with access control lists, which allow what no list is about. */
const aclProperties = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found': 'true',
  'num.partitions': '4',
}

export interface StartedBroker extends AsyncDisposable {
  readonly broker: BrokerUnderTest
}

/** The embedded broker, started as its users do: `millrace broker`. */
export async function startEmbedded(): Promise<StartedBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-clients-'))
  const guard = startProcessGuard([folder])
  try {
    const { certificate, privateKey } = makeCertificate()
    const files = { users: 'users.txt', certificate: 'certificate.pem', key: 'key.pem' } as const
    const path = (name: keyof typeof files): string => join(folder, files[name])
    await writeFile(path('users'), `${login.user}:${login.password}\n`)
    await writeFile(path('certificate'), certificate)
    await writeFile(path('key'), privateKey)
    const [bootstrap, saslBootstrap, tlsBootstrap, listsBootstrap] = await Promise.all([
      startCommand(guard, folder, []),
      startCommand(guard, folder, ['--users', path('users')]),
      startCommand(guard, folder, ['--tls-cert', path('certificate'), '--tls-key', path('key')]),
      startCommand(guard, folder, [
        ...['--nodes', '3', '--partitions', '4'],
        ...['--acl', '--acl-allow-unlisted'],
      ]),
    ])
    const authorityFile = path('certificate')
    const name = 'the embedded broker'
    return {
      broker: {
        ...{ name, bootstrap, saslBootstrap, tlsBootstrap, authorityFile, listsBootstrap },
        ...login,
      },
      [Symbol.asyncDispose]: () => guard.close(),
    }
  } catch (error) {
    await guard.close()
    throw error
  }
}

async function startCommand(
  guard: ProcessGuard,
  folder: string,
  more: readonly string[],
): Promise<string> {
  const set = Object.entries(properties).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  // It warns of every login that is refused, which the cases provoke.
  const logFile = join(folder, 'broker.log')
  const log = openSync(logFile, 'a')
  const child = spawn(
    process.execPath,
    [join(project, 'bin', 'millrace.js'), 'broker', '--port', '0', ...set, ...more],
    { stdio: ['ignore', 'pipe', log] },
  )
  closeSync(log)
  if (child.pid !== undefined) guard.add(child.pid)
  const ended = once(child, 'exit').then(() => {
    const printed = readFileSync(logFile, 'utf8')
    throw new Error(`millrace broker has ended before it was listening:\n${printed}`)
  })
  ended.catch(() => undefined)
  child.unref()
  if (child.stdout === null) throw new Error('millrace broker has no output')
  return Promise.race([ended, listening(child.stdout)])
}

async function listening(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = /^listening on (.+)$/.exec(line)?.[1]
    if (address === undefined) continue
    output.resume()
    return address
  }
  throw new Error('millrace broker did not say where it listens')
}

/** Apache Kafka, to prove that the cases themselves are right. */
export async function startKafka(version: KafkaVersion): Promise<StartedBroker> {
  const tls = makeCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-clients-'))
  const authorityFile = join(folder, 'certificate.pem')
  await writeFile(authorityFile, tls.certificate)
  // One cluster with logins and one with TLS: a cluster with both encrypts its logins.
  const users = { [login.user]: login.password }
  const withLogins = await startRealKafka({ version, properties, users })
  const withTls = await startRealKafka({ version, properties, tls })
  const withLists = await startRealKafka({
    ...{ version, nodes: 3 },
    properties: { ...properties, ...aclProperties },
  })
  const { bootstrap, saslBootstrap } = withLogins
  const { tlsBootstrap } = withTls
  const listsBootstrap = withLists.bootstrap
  const name = `Apache Kafka ${version}`
  return {
    broker: {
      ...{ name, bootstrap, saslBootstrap, tlsBootstrap, authorityFile, listsBootstrap },
      ...login,
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([withLogins.close(), withTls.close(), withLists.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A broker that is there already. */
export function givenBroker(bootstrap: string): StartedBroker {
  return {
    broker: {
      name: `the broker at ${bootstrap}`,
      bootstrap,
      saslBootstrap: process.env['MILLRACE_TEST_SASL_BOOTSTRAP'],
      tlsBootstrap: process.env['MILLRACE_TEST_TLS_BOOTSTRAP'],
      authorityFile: process.env['MILLRACE_TEST_TLS_AUTHORITY'],
      listsBootstrap: process.env['MILLRACE_TEST_LISTS_BOOTSTRAP'],
      ...login,
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
