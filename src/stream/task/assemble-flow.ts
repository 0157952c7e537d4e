import type { ProducerRecord } from '../../client/index.ts'
import type { Event } from '../../contract/index.ts'
import type { FlowNode, FlowStep } from '../flow/flow.ts'
import { occasionOf } from '../flow/flow.ts'
import type { FlowPlan, FlowRoot } from '../flow/flow-plan.ts'
import { Aggregate } from '../operator/aggregate.ts'
import { Join } from '../operator/join.ts'
import type { Pair, Side, Unpaired } from '../operator/join.ts'
import type {
  Moment,
  Operator,
  OperatorParts,
  PlacedRecord,
  Sink,
  TaskEvent,
} from '../operator/operator.ts'
import { textOfKey } from '../state/state-key.ts'
import { LeftOverError } from './left-over-error.ts'
import { StreamViolation } from './stream-violation.ts'
import type { FlowSend } from './stream-task.ts'

export interface FlowParts extends Omit<OperatorParts, 'count'> {
  readonly count: (what: string, of: string) => void
  readonly letter: (record: PlacedRecord, error: Error) => void
  readonly send: (send: FlowSend) => void
  readonly write: (record: ProducerRecord) => void
  readonly decode: (input: number, record: PlacedRecord) => Event
  readonly topicOf: (input: number) => string
}

/** A flow as a task runs it. */
export interface AssembledFlow {
  readonly take: (event: TaskEvent) => void
  /** By their names. */
  readonly operators: ReadonlyMap<string, Operator>
}

/** Says of a record that was written again which partition it came from. */
export const originalPartitionHeader = 'original-partition'

/** Makes functions and operators of what was declared. */
export function assembleFlow({ root }: FlowPlan, parts: FlowParts): AssembledFlow {
  return new FlowAssembly(parts).assemble(root)
}

class FlowAssembly {
  readonly #parts: FlowParts
  readonly #operators = new Map<string, Operator>()

  constructor(parts: FlowParts) {
    this.#parts = parts
  }

  assemble(root: FlowRoot): AssembledFlow {
    return { take: this.#workOf(root), operators: this.#operators }
  }

  #workOf(root: FlowRoot): (event: TaskEvent) => void {
    if (root.kind === 'join') return this.#join(root)
    return root.kind === 'rekey' ? this.#rekey(root) : this.#source(root.events)
  }

  /** The copy tells where its record was first: its dead letter would say so. */
  #rekey({ on, topic }: Extract<FlowRoot, { kind: 'rekey' }>): (event: TaskEvent) => void {
    return (taken) => {
      const { record, partition } = taken
      const key = on(taken.event)
      if (key === null) throw new StreamViolation('the function for its key (on) answered null')
      const { value, timestamp, offset } = record
      const headers = [
        ...record.headers.map(({ key: name, value: content }) => [name, content] as const),
        ['original-topic', taken.topic] as const,
        [originalPartitionHeader, String(partition)] as const,
        ['original-offset', String(offset)] as const,
      ]
      this.#parts.write({ topic, key, value, headers, ...(timestamp >= 0 && { timestamp }) })
    }
  }

  #source(events: FlowNode): (event: TaskEvent) => void {
    const sink = this.#sinkOf<Event>(events)
    return (taken) => {
      sink(taken.event, momentOf(taken))
    }
  }

  #join(root: Extract<FlowRoot, { kind: 'join' }>): (event: TaskEvent) => void {
    const results = this.#sinkOf<Pair>(root.results)
    const unmatched = this.#leftOverSink(root.unmatched, 'unmatched')
    const { decode, topicOf } = this.#parts
    const join = new Join({
      ...root.settings,
      ...this.#operatorParts(root.settings.name),
      ...{ decode, topicOf },
      matched: results,
      unmatched: (unpaired, moment) => {
        if (root.alsoAlone[unpaired.side]) results(pairOf(unpaired), moment)
        else unmatched(unpaired, moment)
      },
      late: this.#leftOverSink(root.late, 'late'),
    })
    this.#operators.set(join.name, join)
    return (event) => join.take(event)
  }

  #operatorParts(name: string): OperatorParts {
    const { state, timers, time, count } = this.#parts
    return { state, timers, time, count: (what) => count(what, name) }
  }

  /** Where nothing is done with what came to nothing, it is a dead letter. */
  #leftOverSink(node: FlowNode, why: 'late' | 'unmatched'): Sink<Unpaired> {
    if (node.steps.length > 0) {
      const sink = this.#sinkOf<{ side: 'left' | 'right'; event: Event }>(node)
      return ({ side, event }, moment) => sink({ side: sideName(side), event }, moment)
    }
    const { letter, time } = this.#parts
    return (unpaired, { key }) => letter(unpaired, new LeftOverError(why, textOfKey(key), time()))
  }

  #sinkOf<Value>(node: FlowNode): Sink<Value> {
    const sinks = node.steps.map((step) => this.#stepOf<Value>(step))
    const [only] = sinks
    if (sinks.length === 1 && only !== undefined) return only
    return (value, moment) => {
      for (const sink of sinks) sink(value, moment)
    }
  }

  #stepOf<Value>(step: FlowStep): Sink<Value> {
    switch (step.kind) {
      case 'filter': {
        const next = this.#sinkOf<Value>(step.next)
        const test = step.test as (value: Value, occasion: object) => boolean
        return (value, moment) => {
          if (test(value, occasionOf(moment))) next(value, moment)
        }
      }
      case 'map': {
        const next = this.#sinkOf(step.next)
        const map = step.map as (value: Value, occasion: object) => unknown
        return (value, moment) => {
          next(map(value, occasionOf(moment)), moment)
        }
      }
      case 'send':
        return this.#sendOf<Value>(step)
      case 'table':
        return this.#tableOf<Value>(step)
    }
  }

  #sendOf<Value>(step: Extract<FlowStep, { kind: 'send' }>): Sink<Value> {
    type Function<Answer> = (value: Value, occasion: object) => Answer
    const { topic, event } = step
    const data = step.data as Function<unknown>
    const key = step.options.key as Function<FlowSend['key']> | undefined
    const id = step.options.id as Function<string> | undefined
    const { send } = this.#parts
    return (value, moment) => {
      const occasion = occasionOf(moment)
      const made = data(value, occasion)
      if (made === undefined) return
      // Named one by one: what is spread is an object of the slow kind, for each event.
      send({
        topic,
        event,
        data: made,
        timestamp: moment.time,
        cause: moment.cause,
        key: key?.(value, occasion),
        id: id?.(value, occasion),
      })
    }
  }

  #tableOf<Value>(step: Extract<FlowStep, { kind: 'table' }>): Sink<Value> {
    const { settings, next } = step
    const results = this.#sinkOf(next)
    const late = this.#lateSink<Value>(step.late)
    const table = new Aggregate<Value, unknown>({
      ...(settings as object as typeof settings & { add: never; by: never }),
      ...this.#operatorParts(settings.name),
      result: ({ key, window, value }, moment) =>
        results({ key: textOfKey(key), window, value }, moment),
      late,
    })
    this.#operators.set(table.name, table)
    return (value, moment) => table.take(value, moment)
  }

  #lateSink<Value>(node: FlowNode): Sink<Value> {
    if (node.steps.length > 0) return this.#sinkOf<Value>(node)
    const { letter, time } = this.#parts
    return (_value, { key, of }) => {
      if (of !== undefined) letter(of, new LeftOverError('late', textOfKey(key), time()))
    }
  }
}

function momentOf(taken: TaskEvent): Moment {
  const { key, time, record, event } = taken
  return { key, time, cause: { record, id: event.id }, of: taken }
}

function pairOf({ side, event }: Unpaired): Pair {
  return side === 0 ? { left: event, right: undefined } : { left: undefined, right: event }
}

function sideName(side: Side): 'left' | 'right' {
  return side === 0 ? 'left' : 'right'
}
