import { keyCount } from './task.ts'
import type { ConsumeTask, PublishTask } from './task.ts'

/** The topics that are filled before the rounds. */
export const filled = { keyed: 'keyed', long: 'long', single: 'single', events: 'events' } as const

/** So many times the records of the others are in the long topic. */
export const longer = 5

/** A row of the table: one task, and what each program does with it. */
export interface Row {
  readonly name: string
  /** Under which name `--tasks` picks it. */
  readonly pick: string
  /** Ours comes first: ratios are to it. */
  readonly subjects: readonly string[]
  /** A program that is slow by its nature gets fewer records. */
  readonly task: (subject: string, topic: string) => ConsumeTask | PublishTask
}

/** How often a slow program is slower, at least. */
const slower: Readonly<Record<string, number>> = { kafkajs: 20, confluent: 200 }

/** Where there are two, the better one counts: it depends on the machine how many threads it can use. */
const parallelConsumers = ['parallel-consumer', 'parallel-consumer-100']

export function concurrencyOf(subject: string): number {
  return subject === 'parallel-consumer-100' ? 100 : keyCount
}

const handlers = ([minMs, maxMs]: readonly [number, number], topic: string, records: number) => {
  return (subject: string): ConsumeTask => ({
    kind: 'consume',
    topic,
    records: maxMs < 5 || minMs === 0 ? records : Math.round(records / (slower[subject] ?? 1)),
    reads: 'nothing',
    handlerMs: [minMs, maxMs],
    concurrency: concurrencyOf(subject),
  })
}

/** `records` is how many a fast program gets where the handler does nothing. */
export function rowsOf(records: number): Row[] {
  const nothing = handlers([0, 0], filled.keyed, records)
  const asEvents = (subject: string): ConsumeTask => ({
    ...nothing(subject),
    topic: filled.events,
    records: Math.round(records * 0.6),
    reads: 'event',
  })
  const fewer = (subject: string): ConsumeTask => {
    const task = nothing(subject)
    return subject.startsWith('parallel') ? { ...task, records: Math.round(records * 0.4) } : task
  }
  return [
    {
      name: '5 ms, 1,000 keys',
      pick: 'handler',
      subjects: ['millrace', 'parallel-consumer', 'kafkajs', 'confluent'],
      task: handlers([5, 5], filled.keyed, Math.round(records * 0.4)),
    },
    {
      name: 'a handler that does nothing',
      pick: 'nothing',
      subjects: ['millrace', 'millrace-async', ...parallelConsumers, 'kafkajs'],
      task: fewer,
    },
    {
      name: 'guard, JSON, schema, 350 B',
      pick: 'full',
      subjects: [
        'millrace',
        'millrace-async',
        'kafkajs',
        'kafkajs-batch',
        'platformatic-1',
        'platformatic-2',
      ],
      task: asEvents,
    },
    {
      name: '10,000 records, 1 partition, 0-5 ms',
      pick: 'experiment',
      subjects: ['millrace', ...parallelConsumers],
      task: handlers([0, 5], filled.single, 10_000),
    },
    ...[1, 10, 100].map((ms) => ({
      name: `25,000 records, ${ms} ms`,
      pick: 'matrix',
      subjects: ['millrace', 'parallel-consumer'],
      task: handlers([ms, ms], filled.keyed, 25_000),
    })),
    // What it costs until all is compiled counts for much of a short run.
    ...[1, longer].map((times) => ({
      name: times === 1 ? 'over the client alone' : `over the client alone, ${times} times as long`,
      pick: 'client',
      subjects: ['millrace', 'millrace-client'],
      task: handlers([0, 0], times === 1 ? filled.keyed : filled.long, times * records),
    })),
    {
      name: 'typed publish, 350 B',
      pick: 'publish',
      subjects: ['millrace', 'kafkajs'],
      task: (_, topic) => ({ kind: 'publish', topic, records: Math.round(records * 0.4) }),
    },
  ]
}
