import type { Event, EventContract, EventKey, TopicContract } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import { shown } from '../../option-checks.ts'
import type { JoinSettings } from '../operator/join.ts'
import type { Windowing } from '../operator/window.ts'
import type { FlowNode } from './flow.ts'

/** What a flow reads. */
export interface FlowInput {
  readonly topic: TopicContract
  /** The events of the topic that it takes; others are passed over. */
  readonly events: ReadonlySet<string>
  /** The key by which it is worked, where that is not the record's: then records are first written again under it. */
  readonly on: ((event: Event) => EventKey) | undefined
}

/** What is done with the events: joined, or handed on as they come. */
export type FlowRoot =
  | {
      readonly kind: 'join'
      readonly settings: JoinSettings
      /** The sides of which an event without a match is a result all the same. */
      readonly alsoAlone: readonly [boolean, boolean]
      readonly results: FlowNode
      readonly unmatched: FlowNode
      readonly late: FlowNode
    }
  | { readonly kind: 'source'; readonly events: FlowNode }
  /** Each record is written again as it is, under another key. */
  | {
      readonly kind: 'rekey'
      readonly on: (event: Event) => EventKey
      readonly topic: string
    }

/** A table of a flow. */
export interface PlannedTable {
  readonly name: string
  readonly windowing: Windowing | undefined
}

export interface FlowPlanParts {
  readonly name: string
  readonly inputs: readonly FlowInput[]
  readonly root: FlowRoot
  readonly idleAfterMs: number
  readonly maxAheadMs: number
  /** How far behind the time the events of its results may be: of a join, window and grace. */
  readonly delayMsMax: number
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/

/** Everything that is declared of a flow: what it reads, does and writes. */
export class FlowPlan {
  readonly name: string
  readonly inputs: readonly FlowInput[]
  readonly root: FlowRoot
  readonly idleAfterMs: number
  readonly maxAheadMs: number
  readonly delayMsMax: number
  /** Topics that it sends events to. */
  readonly written = new Set<TopicContract>()
  readonly #tables = new Map<string, PlannedTable>()
  #horizonMs: number

  constructor(parts: FlowPlanParts) {
    this.name = checkedName(parts.name, 'name')
    this.inputs = parts.inputs
    this.root = parts.root
    this.idleAfterMs = parts.idleAfterMs
    this.maxAheadMs = parts.maxAheadMs
    this.delayMsMax = parts.delayMsMax
    this.#horizonMs = parts.delayMsMax
  }

  get tables(): ReadonlyMap<string, PlannedTable> {
    return this.#tables
  }

  /** Whether anything is remembered. */
  get isStateful(): boolean {
    return this.root.kind === 'join' || this.#tables.size > 0
  }

  /** How far behind the highest event time what is remembered can end. */
  get horizonMs(): number {
    return this.#horizonMs
  }

  addTable(name: string, windowing: Windowing | undefined, horizonMs: number): void {
    checkedName(name, 'table')
    if (this.#tables.has(name) || name === this.name) {
      throw new OptionError(
        'table',
        `('${name}') is there twice in ${this.name}: each has state of its own name`,
      )
    }
    this.#tables.set(name, { name, windowing })
    this.#horizonMs = Math.max(this.#horizonMs, horizonMs)
  }
}

/** What writes the records of an input again, into `topic`, under the key by which the flow works them. */
export function rekeyPlan(plan: FlowPlan, input: FlowInput, topic: string): FlowPlan {
  const { idleAfterMs, maxAheadMs } = plan
  return new FlowPlan({
    ...{ idleAfterMs, maxAheadMs, delayMsMax: 0 },
    name: `${plan.name}-by-key-${plan.inputs.indexOf(input)}`,
    inputs: [{ ...input, on: undefined }],
    root: { kind: 'rekey', on: input.on as NonNullable<FlowInput['on']>, topic },
  })
}

/** Names are parts of topics' and files' names. */
function checkedName(name: unknown, option: string): string {
  if (typeof name === 'string' && namePattern.test(name)) return name
  throw new OptionError(
    option,
    `(${shown(name)}) must be 1 to 63 of a-z, 0-9 and -, the first a letter`,
  )
}

/** The events of a topic that are taken: all of it, or those that are named. */
export function takenEvents(
  topic: TopicContract,
  events: EventContract | readonly EventContract[] | undefined,
  option: string,
): ReadonlySet<string> {
  if (events === undefined) return new Set(topic.events.keys())
  const list: readonly EventContract[] = Array.isArray(events)
    ? (events as EventContract[])
    : [events as EventContract]
  for (const event of list) {
    if (topic.events.get(event.type) === event) continue
    throw new OptionError(option, `('${event.type}') is no event of ${topic.name}`)
  }
  return new Set(list.map(({ type }) => type))
}
