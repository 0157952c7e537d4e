import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { loadPeer } from '../load-peer.ts'
import { ProcessStopwatch } from '../stopwatch.ts'
import type { Order, Run, Subject, Task } from './task.ts'

/*
 * One program, one task, one process: `node worker.mjs ORDER.json`. Prints what it measured as JSON. A peer is
 * loaded from where the peers are installed, ours from the build that is published.
 */
const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Order
const peer = (name: string, folder = order.peers) => loadPeer(folder, name)
const built = (path: string): Promise<unknown> =>
  import(pathToFileURL(`${order.built}/${path}`).href) as Promise<unknown>

const makers: Record<string, () => Promise<Subject>> = {
  millrace: async () =>
    (await import('./subject/millrace.ts')).subject((await built('index.js')) as never, 'plain'),
  'millrace-async': async () =>
    (await import('./subject/millrace.ts')).subject((await built('index.js')) as never, 'async'),
  'millrace-client': async () =>
    (await import('./subject/millrace.ts')).clientSubject(
      (await built('client/index.js')) as never,
    ),
  kafkajs: async () =>
    (await import('./subject/kafkajs.ts')).subject((await peer('kafkajs')) as never, 'each'),
  'kafkajs-batch': async () =>
    (await import('./subject/kafkajs.ts')).subject((await peer('kafkajs')) as never, 'batch'),
  confluent: async () => {
    const name = '@confluentinc/kafka-javascript'
    const loaded = await peer(name, `${order.peers}/confluent`)
    return (await import('./subject/confluent.ts')).subject(loaded as never)
  },
  'platformatic-1': async () =>
    (await import('./subject/platformatic.ts')).subject((await peer('platformatic-1')) as never),
  'platformatic-2': async () =>
    (await import('./subject/platformatic.ts')).subject((await peer('platformatic-2')) as never),
}

const { task, bootstrap } = order
const subject = await makers[order.subject]?.()
process.stdout.write(`${JSON.stringify(await measure())}\n`)
process.exit(0)

async function measure(): Promise<object> {
  if (task.kind === 'stall') {
    if (subject?.stall === undefined) throw new Error(`${order.subject} cannot stall`)
    return subject.stall(task, bootstrap)
  }
  const run = subject?.[task.kind] as Run<Task> | undefined
  if (run === undefined) throw new Error(`${order.subject} cannot ${task.kind}`)
  const stopwatch = new ProcessStopwatch()
  await run(task, { bootstrap, stopwatch })
  return stopwatch.measurement ?? {}
}
