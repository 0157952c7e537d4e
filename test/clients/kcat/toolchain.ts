/** kcat: librdkafka on the command line; Debian's is of the year 2022. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { BrokerUnderTest, Toolchain } from '../toolchain.ts'

const timeoutMs = 30_000
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

async function kcat(input: string, ...options: readonly string[]): Promise<string> {
  const child = spawn('kcat', options, { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs })
  child.stdin.end(input)
  const exited = once(child, 'exit') as Promise<[number | null]>
  const [output, problems] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = await exited
  assert.equal(code, 0, `kcat ${options.join(' ')} ended with ${code}: ${problems}`)
  return output
}

function topicName(): string {
  return `kcat-${randomUUID().slice(0, 8)}`
}

async function roundTrip(bootstrap: string, codec: string): Promise<void> {
  const topic = topicName()
  const lines = Array.from({ length: 200 }, (_, index) => `key-${index}:${'größer'.repeat(index)}`)
  const written = ['-P', '-b', bootstrap, '-t', topic, '-K:', '-z', codec, '-H', 'one=1']
  await kcat(`${lines.join('\n')}\n`, ...written, '-X', 'enable.idempotence=true')
  const from = ['-C', '-b', bootstrap, '-t', topic, '-o', 'beginning', '-e', '-q']
  const read = await kcat('', ...from, '-f', '%h %k:%s\\n')
  assert.deepEqual(read.trimEnd().split('\n').sort(), lines.map((line) => `one=1 ${line}`).sort())
}

async function group(bootstrap: string): Promise<void> {
  const topic = topicName()
  await kcat('one\ntwo\n', '-P', '-b', bootstrap, '-t', topic)
  const member = ['-b', bootstrap, '-X', 'auto.offset.reset=earliest', '-q', '-e', '-G', topic]
  assert.equal((await kcat('', ...member, topic)).trimEnd(), 'one\ntwo')
  await kcat('three\n', '-P', '-b', bootstrap, '-t', topic)
  assert.equal((await kcat('', ...member, topic)).trimEnd(), 'three')
}

async function describe(bootstrap: string): Promise<void> {
  const topic = topicName()
  await kcat('one\ntwo\n', '-P', '-b', bootstrap, '-t', topic)
  assert.match(await kcat('', '-L', '-b', bootstrap, '-t', topic), /with \d+ partitions/)
  const latest = await kcat('', '-Q', '-b', bootstrap, '-t', `${topic}:0:-1`)
  assert.match(latest, /\[0\] offset 2/)
}

function casesOn(broker: BrokerUnderTest): ReadonlyMap<string, () => Promise<unknown>> {
  const { bootstrap, saslBootstrap, tlsBootstrap, authorityFile } = broker
  const list = (address: string, ...settings: readonly string[]): Promise<string> =>
    kcat('', '-L', '-b', address, ...settings.flatMap((setting) => ['-X', setting]))
  const cases = new Map<string, () => Promise<unknown>>([
    ...codecs.map(
      (codec) =>
        [`records, ${codec}: come back as they were`, () => roundTrip(bootstrap, codec)] as const,
    ),
    ['a group goes on where it was', () => group(bootstrap)],
    ['topics and offsets are told', () => describe(bootstrap)],
  ])
  if (saslBootstrap !== undefined) {
    // SCRAM of a librdkafka before 2.6.1 has a wrong nonce, and Kafka refuses it.
    const login = [`sasl.username=${broker.user}`, `sasl.password=${broker.password}`]
    const plain = ['security.protocol=sasl_plaintext', 'sasl.mechanism=PLAIN']
    cases.set('security: PLAIN', () => list(saslBootstrap, ...plain, ...login))
  }
  if (tlsBootstrap !== undefined) {
    const trust = ['security.protocol=ssl', `ssl.ca.location=${authorityFile}`]
    cases.set('security: TLS', () => list(tlsBootstrap, ...trust))
  }
  return cases
}

export const kcatClient: Toolchain = {
  name: 'kcat',
  missing() {
    const found = spawnSync('kcat', ['-V'], { stdio: 'ignore' })
    return found.status === 0 ? undefined : 'kcat is not installed'
  },
  async run(broker, only, line) {
    for (const [name, body] of casesOn(broker)) {
      if (!name.includes(only)) continue
      const started = Date.now()
      try {
        await body()
        line(`PASS ${name} ${Date.now() - started}`)
      } catch (error) {
        const reason = String(error).replaceAll(/\s*\n\s*/g, ' | ')
        line(`FAIL ${name} ${Date.now() - started}: ${reason}`)
      }
    }
  },
}
