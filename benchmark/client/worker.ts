import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { loadPeer } from '../load-peer.ts'
import { ProcessStopwatch } from '../stopwatch.ts'
import type { Order, Run, Subject, Task } from './task.ts'

/*
 * One client, one task, one process: `node worker.js ORDER.json`. Prints what it measured as JSON. A peer is
 * loaded from where the peers are installed, ours from the build that is published.
 */
const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Order
const peer = (name: string, folder = order.peers) => loadPeer(folder, name)

const makers: Record<string, () => Promise<Subject>> = {
  kafkajs: async () => {
    const { subject } = await import('./subject/kafkajs.ts')
    return subject((await peer('kafkajs')) as never)
  },
  confluent: async () => {
    const { subject } = await import('./subject/confluent.ts')
    const name = '@confluentinc/kafka-javascript'
    return subject((await peer(name, `${order.peers}/confluent`)) as never)
  },
  'platformatic-1': async () => {
    const { subject } = await import('./subject/platformatic.ts')
    return subject((await peer('platformatic-1')) as never)
  },
  'platformatic-2': async () => {
    const { subject } = await import('./subject/platformatic.ts')
    return subject((await peer('platformatic-2')) as never)
  },
  socket: async () => (await import('./subject/socket.ts')).subject(),
  millrace: async () => {
    const { subject } = await import('./subject/millrace.ts')
    const { href } = pathToFileURL(`${order.built}/client/index.js`)
    return subject((await import(href)) as never)
  },
}

const subject = await makers[order.subject]?.()
const run = subject?.[order.task.kind] as Run<Task['kind']> | undefined
if (run === undefined) throw new Error(`${order.subject} cannot ${order.task.kind}`)
const stopwatch = new ProcessStopwatch()
await run(order.task, { bootstrap: order.bootstrap, stopwatch })
process.stdout.write(`${JSON.stringify(stopwatch.measurement ?? {})}\n`)
process.exit(0)
