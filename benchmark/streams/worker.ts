import { readFileSync } from 'node:fs'
import { loadPeer } from '../load-peer.ts'
import { makeHalfwayClock } from './halfway-clock.ts'
import type { Order, Subject, SubjectContext, StreamMeasurement, Task } from './task.ts'

/*
 * One program, one task, one process: `node worker.mjs ORDER.json`. Prints what it measured as JSON. A peer is
 * loaded from where the peers are installed, ours is bundled with this file.
 */
const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Order
const peer = (name: string, folder = order.peers) => loadPeer(folder, name)

const makers: Record<string, () => Promise<Subject>> = {
  millrace: async () => (await import('./subject/millrace.ts')).subject({ as: 'flow' }),
  'millrace-consumer': async () =>
    (await import('./subject/millrace.ts')).subject({ as: 'consumer' }),
  'millrace-unique': async () =>
    (await import('./subject/millrace.ts')).subject({ as: 'flow', unique: 'both' }),
  kafkajs: async () =>
    (await import('./subject/kafkajs.ts')).subject((await peer('kafkajs')) as never),
  confluent: async () => {
    const name = '@confluentinc/kafka-javascript'
    const loaded = await peer(name, `${order.peers}/confluent`)
    return (await import('./subject/confluent.ts')).subject(loaded as never)
  },
}

const { task, bootstrap } = order
const subject = await makers[order.subject]?.()
type Run = (task: Task, context: SubjectContext) => Promise<StreamMeasurement | undefined>
const run = subject?.[task.kind] as Run | undefined
if (run === undefined) throw new Error(`${order.subject} cannot ${task.kind}`)
const measured = await run(task, { bootstrap, clock: makeHalfwayClock(task.records) })
process.stdout.write(`${JSON.stringify(measured ?? {})}\n`)
process.exit(0)
