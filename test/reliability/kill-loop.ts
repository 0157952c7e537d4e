import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNodePlatform } from '../../src/platform/index.ts'
import { createTopicsApi, kafkaError } from '../../src/protocol/index.ts'
import { assertHistory, recordHistory } from '../../src/testing/index.ts'
import type { History, HistoryReport } from '../../src/testing/index.ts'
import { BrokerSession, untilAnswered } from './broker-session.ts'
import { runIdempotentProducer, runTransactionalProducer } from './producers.ts'
import { Reader } from './readers.ts'

const launcher = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))
const topic = 'events'
const partitions = 4

export interface KillLoopOptions {
  readonly kills: number
  /** How long the broker works between two kills, at most. */
  readonly workMsMax: number
  readonly report?: (text: string) => void
}

export interface KillLoopResult {
  readonly kills: number
  readonly history: History
  readonly verdict: HistoryReport
}

/**
 * A broker with a data folder is killed (SIGKILL) under load and started again, over and over. In the
 * end every acknowledged record must be there once, and none of an aborted transaction.
 */
export async function killLoop(options: KillLoopOptions): Promise<KillLoopResult> {
  const { kills, workMsMax, report = () => undefined } = options
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
  const history = recordHistory({ now: () => performance.now() })
  let broker = await startBrokerProcess(folder, 0)
  try {
    const { port } = broker
    await createTopic(port)
    let goesOn = true
    const clients = startClients(port, history, () => goesOn)
    for (let kill = 1; kill <= kills; kill++) {
      await sleep(workMsMax * (0.2 + 0.8 * Math.random()))
      broker.process.kill('SIGKILL')
      await once(broker.process, 'exit')
      broker = await startBrokerProcess(folder, port)
      if (kill % 10 === 0) report(`${kill} of ${kills} kills, ${history.events.length} events`)
    }
    goesOn = false
    await Promise.all(clients)
    await finalRead(port, history)
    return { kills, history, verdict: assertHistory(history, { replay: 'npm run kill-loop' }) }
  } finally {
    broker.process.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

interface BrokerProcess {
  readonly process: ChildProcess
  readonly port: number
}

async function startBrokerProcess(folder: string, port: number): Promise<BrokerProcess> {
  const child = spawn(
    process.execPath,
    [launcher, 'broker', '--port', String(port), '--data', folder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  process.once('exit', () => child.kill('SIGKILL'))
  let text = ''
  for await (const chunk of child.stdout) {
    text += String(chunk)
    const match = /listening on [^:]+:(\d+)/.exec(text)
    if (match !== null) return { process: child, port: Number(match[1]) }
  }
  throw new Error(`the broker did not start again: ${text}`)
}

function startClients(
  port: number,
  history: ReturnType<typeof recordHistory>,
  goesOn: () => boolean,
): Promise<void>[] {
  const common = { history, topic, partitions, goesOn, pauseMs: 4 }
  const idempotent = ['idempotent-1', 'idempotent-2', 'idempotent-3'].map((name) =>
    runIdempotentProducer({ ...common, name, session: sessionOf(port, name) }),
  )
  const transactional = ['transactional-1', 'transactional-2'].map((name) =>
    runTransactionalProducer({
      ...common,
      name,
      session: sessionOf(port, name),
      transactionalId: name,
    }),
  )
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const reader = new Reader({
    name: 'reader',
    session: sessionOf(port, 'reader'),
    history,
    topic,
    partitions: all,
    goesOn,
  })
  return [...idempotent, ...transactional, reader.run()]
}

async function finalRead(port: number, history: ReturnType<typeof recordHistory>): Promise<void> {
  history.note({ kind: 'final', process: 'final-reader' })
  const session = sessionOf(port, 'final-reader')
  const reader = new Reader({
    name: 'final-reader',
    session,
    history,
    topic,
    partitions: Array.from({ length: partitions }, (_, partition) => partition),
    goesOn: () => true,
  })
  await reader.readToEnd()
  session.drop()
}

async function createTopic(port: number): Promise<void> {
  const session = sessionOf(port, 'admin')
  const response = await untilAnswered(session, () =>
    session.request(createTopicsApi, 7, {
      topics: [
        {
          name: topic,
          numPartitions: partitions,
          replicationFactor: 1,
          assignments: [],
          configs: [],
        },
      ],
      timeoutMs: 10_000,
    }),
  )
  session.drop()
  if (response.topics[0]?.errorCode !== kafkaError.NONE) throw new Error('the topic was not made')
}

function sessionOf(port: number, clientId: string): BrokerSession {
  const platform = createNodePlatform()
  return new BrokerSession({ platform, host: '127.0.0.1', port, clientId, timeoutMs: 5_000 })
}
