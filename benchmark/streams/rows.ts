import type { JoinTask, OpenTask, RestoreTask, Task, TransformTask } from './task.ts'

/** Of what one run of the benchmark makes: a cluster may have seen others. */
export const runId = String(process.pid)

/** Topics that are filled once. */
export const filled = {
  orders: `orders-${runId}`,
  payments: `payments-${runId}`,
  /** Orders of 1,000 keys. */
  keyed: `keyed-orders-${runId}`,
  empty: `no-payments-${runId}`,
} as const

/** A line of the table for each of its subjects. */
export interface Row {
  readonly name: string
  readonly pick: string
  /** The first is what the others are compared with. */
  readonly subjects: readonly string[]
  /** `id` is of this run alone; `count` says how many records a changelog has. */
  readonly task: (facts: TaskFacts) => Task
  /** How many inputs a record of a measurement stands for. */
  readonly inputs: number
}

export interface TaskFacts {
  readonly subject: string
  readonly id: string
  /** Of the run in the same round whose state it has. */
  readonly joinId: string
  readonly changes: number
  readonly folder: string
}

/** `records` is how many orders there are, and payments. */
export function rowsOf(records: number): Row[] {
  const transform =
    (guarantee: TransformTask['guarantee'], share: Readonly<Record<string, number>> = {}) =>
    ({ id, subject }: TaskFacts): TransformTask => ({
      ...{ kind: 'transform', input: filled.orders, output: id, group: id },
      ...{ records: Math.round(records * (share[subject] ?? 1)), guarantee },
    })
  const joined = { orders: filled.orders, payments: filled.payments }
  return [
    {
      name: 'transform, exactly once',
      pick: 'transform',
      subjects: ['millrace', 'millrace-consumer', 'kafka-streams', 'confluent', 'kafkajs'],
      task: transform('exactly-once'),
      inputs: 1,
    },
    {
      name: 'the same, at least once',
      pick: 'transform',
      subjects: ['millrace-consumer', 'kafka-streams'],
      task: transform('at-least-once'),
      inputs: 1,
    },
    {
      name: 'transform, 5 ms, 1,000 keys',
      pick: 'handler',
      subjects: ['millrace-consumer'],
      task: (facts): TransformTask => ({
        ...transform('exactly-once')(facts),
        ...{ input: filled.keyed, handlerMs: 5 },
      }),
      inputs: 1,
    },
    {
      name: 'join of 24 h, inputs',
      pick: 'join',
      subjects: ['millrace', 'millrace-unique', 'kafka-streams'],
      task: ({ id, folder }): JoinTask => ({
        ...{ kind: 'join', ...joined, output: id, group: id, records, folder },
      }),
      inputs: 2,
    },
    {
      name: 'restore of its state, changes',
      pick: 'join',
      subjects: ['millrace', 'kafka-streams'],
      task: ({ joinId, changes, folder }): RestoreTask => ({
        ...{ kind: 'restore', ...joined, output: joinId, group: joinId, records: changes, folder },
      }),
      inputs: 1,
    },
    {
      name: 'open orders',
      pick: 'open',
      subjects: ['millrace', 'kafka-streams'],
      task: ({ id, folder }): OpenTask => ({
        ...{ kind: 'open', orders: filled.orders, payments: filled.empty, output: id, group: id },
        ...{ records, folder },
      }),
      inputs: 1,
    },
  ]
}
