import { durationMs } from '../../contract/index.ts'
import type {
  ContractsOf,
  DataOf,
  Duration,
  EventContract,
  EventKey,
  TopicContract,
} from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import { oneOf, optionsOf, shown, wholeNumber } from '../../option-checks.ts'
import type { AggregateSettings } from '../operator/aggregate.ts'
import type { ResultForm } from '../operator/kept-result.ts'
import type { TimeWindow, Windowing } from '../operator/window.ts'
import { keyOfText, textOfKey } from '../state/state-key.ts'
import type { FlowPlan } from './flow-plan.ts'

/** When and for which key a value is. */
export interface Occasion {
  /** The key of the record, as text. */
  readonly key: string
  /** Its event time, in milliseconds since the epoch. */
  readonly time: number
}

/** What may be said of an event that a flow sends. */
export interface FlowSendOptions<Value> {
  /** Instead of the contract's. */
  readonly key?: (value: Value, occasion: Occasion) => EventKey
  /** Unique to the event. @defaultValue a new UUIDv7 */
  readonly id?: (value: Value, occasion: Occasion) => string
}

/** A result of a table: of a key, and of a window where there are any. */
export interface TableRow<Result> {
  readonly key: string
  readonly window: TimeWindow | undefined
  readonly value: Result
}

export interface TableOptions<Value> {
  /** When a result is handed on: whenever it changes, or once, when its window has closed. @defaultValue 'update' */
  readonly emit?: 'update' | 'close'
  /**
   * How long after its end a window takes what comes late. @defaultValue nothing; behind a join, or another table, as long as its
   * results may take, so that none of them is late
   */
  readonly grace?: Duration
  /** How long the result of a window can be read after it has closed. @defaultValue not at all */
  readonly keep?: Duration
  /** What is put together, within each partition. @defaultValue what has the key of the record */
  readonly by?: (value: Value) => string
}

export interface ReduceOptions<Value, Result> extends TableOptions<Value> {
  readonly add: (result: Result | undefined, value: Value, time: number) => Result
  /** Puts the results of two sessions together that turn out to be one. Needed with `session` windows. */
  readonly merge?: (one: Result, other: Result) => Result
  /** Of the results, which are kept as JSON: raise it when their form changes. @defaultValue 1 */
  readonly version?: number
  /** Reads results that an older version has kept. */
  readonly upgrade?: (kept: unknown, version: number) => Result
}

/** What is done with each value that comes by. */
export type FlowStep =
  | {
      readonly kind: 'filter'
      readonly test: (value: never, occasion: Occasion) => boolean
      readonly next: FlowNode
    }
  | {
      readonly kind: 'map'
      readonly map: (value: never, occasion: Occasion) => unknown
      readonly next: FlowNode
    }
  | {
      readonly kind: 'send'
      readonly topic: TopicContract
      readonly event: EventContract
      readonly data: (value: never, occasion: Occasion) => unknown
      readonly options: FlowSendOptions<never>
    }
  | {
      readonly kind: 'table'
      readonly settings: AggregateSettings<never, unknown>
      readonly next: FlowNode
      readonly late: FlowNode
    }

/** A place in a flow where values come by. */
export interface FlowNode {
  readonly steps: FlowStep[]
}

export const newNode = (): FlowNode => ({ steps: [] })

/** How the event times of values lie to the time at which they come. */
interface FlowTiming {
  /** How far behind, at most, as long as nothing is late. */
  readonly delayMs: number
  /** How far before the highest event time that was read. */
  readonly aheadMs: number
}

const tableOptionNames = ['emit', 'grace', 'keep', 'by']
const reduceOptionNames = [...tableOptionNames, 'add', 'merge', 'version', 'upgrade']

/**
 * Values on their way: what a join or a topic gives, and what is made of it. Functions are called for each value, must answer at
 * once, and have no effects of their own: what they answer counts when its transaction is committed, and may be worked out again.
 */
export class Flow<Value> {
  /** @internal */
  readonly plan: FlowPlan
  readonly #node: FlowNode
  readonly #windowing: Windowing | undefined
  readonly #timing: FlowTiming

  /** Use `join` or `streamOf`. */
  constructor(
    plan: FlowPlan,
    node: FlowNode,
    windowing?: Windowing,
    timing: FlowTiming = { delayMs: plan.delayMsMax, aheadMs: 0 },
  ) {
    this.plan = plan
    this.#node = node
    this.#windowing = windowing
    this.#timing = timing
  }

  /** The name that its group and its state have. */
  get name(): string {
    return this.plan.name
  }

  /** Lets values pass for which `test` answers true. */
  filter(test: (value: Value, occasion: Occasion) => boolean): Flow<Value> {
    const next = newNode()
    this.#node.steps.push({ kind: 'filter', test, next })
    return new Flow(this.plan, next, this.#windowing, this.#timing)
  }

  /** Makes another value of each. */
  map<Next>(map: (value: Value, occasion: Occasion) => Next): Flow<Next> {
    const next = newNode()
    this.#node.steps.push({ kind: 'map', map, next })
    return new Flow(this.plan, next, this.#windowing, this.#timing)
  }

  /**
   * Sends an event for each value, in the transaction that says that it was worked; nothing for which `data` is undefined.
   *
   * @example
   * paid.send(invoices, OrderPaid, ({ left, right }) => ({ orderId: left.data.orderId, paidAt: right.timestamp }))
   */
  send<Topic extends TopicContract, Contract extends ContractsOf<Topic>>(
    topic: Topic,
    event: Contract,
    data: (value: Value, occasion: Occasion) => DataOf<Contract> | undefined,
    options: FlowSendOptions<Value> = {},
  ): this {
    if (!topic.isOpen && topic.events.get(event.type) !== event) {
      throw new OptionError('send', `('${event.type}') is no event of ${topic.name}`)
    }
    optionsOf(options, 'send', ['key', 'id'])
    this.plan.written.add(topic)
    this.#node.steps.push({ kind: 'send', topic, event, data, options })
    return this
  }

  /** What follows is put together by time. */
  window(windowing: Windowing): Flow<Value> {
    return new Flow(this.plan, this.#node, windowing, this.#timing)
  }

  /** How many values there were. */
  count(name: string, options: TableOptions<Value> = {}): Table<number, Value> {
    optionsOf(options, name, tableOptionNames)
    return this.reduce<number>(name, { ...options, add: (count = 0) => count + 1, merge: added })
  }

  /** The sum of a number of each value. */
  sum(
    name: string,
    of: (value: Value) => number,
    options: TableOptions<Value> = {},
  ): Table<number, Value> {
    optionsOf(options, name, tableOptionNames)
    const add = (sum: number | undefined, value: Value) => (sum ?? 0) + finite(of(value), name)
    return this.reduce<number>(name, { ...options, add, merge: added })
  }

  /** The value with the highest event time; of equal ones the last that came. */
  latest(name: string, options: TableOptions<Value> = {}): Table<Value, Value> {
    optionsOf(options, name, tableOptionNames)
    interface Latest {
      readonly time: number
      readonly value: Value
    }
    const add = (latest: Latest | undefined, value: Value, time: number) =>
      latest !== undefined && latest.time > time ? latest : { time, value }
    const merge = (one: Latest, other: Latest) => (other.time >= one.time ? other : one)
    return this.#table<Latest, Value>(name, { ...options, add, merge }, ({ value }) => value)
  }

  /** Whatever can be worked out value by value. Results are kept as JSON. */
  reduce<Result>(name: string, options: ReduceOptions<Value, Result>): Table<Result, Value> {
    optionsOf(options, name, reduceOptionNames)
    return this.#table<Result, Result>(name, options, (result) => result)
  }

  #table<Kept, Result>(
    name: string,
    options: ReduceOptions<Value, Kept>,
    shownAs: (kept: Kept) => Result,
  ): Table<Result, Value> {
    const settings = tableSettings(name, this.#windowing, this.#timing, options)
    const next = newNode()
    const late = newNode()
    const timing = timingBehind(settings, this.#timing)
    this.plan.addTable(name, settings.windowing, this.#timing.aheadMs + horizonOf(settings))
    this.#node.steps.push({
      kind: 'table',
      settings: settings as unknown as AggregateSettings<never, unknown>,
      next,
      late,
    })
    const rows = new Flow<TableRow<Kept>>(this.plan, next, undefined, timing)
    const shownRows = rows.map(({ key, window, value }) => ({ key, window, value: shownAs(value) }))
    return new Table(this.plan, shownRows, new Flow(this.plan, late), {
      form: settings,
      windowing: settings.windowing,
      shownAs: shownAs as (kept: unknown) => Result,
    })
  }
}

export interface TableParts<Result> {
  /** How what is kept is read. */
  readonly form: ResultForm<unknown>
  readonly windowing: Windowing | undefined
  readonly shownAs: (kept: unknown) => Result
}

/** A table, as far as it is read. */
export interface ReadableTable<Result> {
  /** @internal */
  readonly plan: FlowPlan
  /** @internal */
  readonly parts: TableParts<Result>
}

/** Results by key, and by window where there are any: they can be read, and handed on as they change or when they are final. */
export class Table<Result, Value = unknown> implements ReadableTable<Result> {
  /** @internal */
  readonly plan: FlowPlan
  /** @internal */
  readonly parts: TableParts<Result>
  /** Each result, whenever it has changed or when its window has closed: as `emit` says. */
  readonly results: Flow<TableRow<Result>>
  /** Values that came when their windows had closed. Where nothing is done with them, their records are dead letters. */
  readonly late: Flow<Value>

  /** Use `count`, `sum`, `latest` or `reduce`. */
  constructor(
    plan: FlowPlan,
    results: Flow<TableRow<Result>>,
    late: Flow<Value>,
    parts: TableParts<Result>,
  ) {
    this.plan = plan
    this.results = results
    this.late = late
    this.parts = parts
  }

  get name(): string {
    return this.parts.form.name
  }
}

function tableSettings<Value, Kept>(
  name: string,
  windowing: Windowing | undefined,
  { delayMs }: FlowTiming,
  options: ReduceOptions<Value, Kept>,
): AggregateSettings<Value, Kept> {
  const { add, merge, upgrade, by } = options
  const at = (option: string) => `${name}.${option}`
  const emit = oneOf(options.emit, at('emit'), ['update', 'close'], 'update')
  if (windowing === undefined) {
    for (const option of ['grace', 'keep'] as const) {
      if (options[option] === undefined) continue
      throw new OptionError(
        at(option),
        'is of windows, and the table has none: say window(...) first',
      )
    }
    if (emit === 'close') {
      throw new OptionError(
        at('emit'),
        "('close') needs windows: without any, results are never final",
      )
    }
  }
  if (windowing?.kind === 'session' && merge === undefined) {
    throw new OptionError(
      at('merge'),
      'is missing: how are two sessions put together that turn out to be one?',
    )
  }
  if (typeof add !== 'function')
    throw new OptionError(at('add'), `(${shown(add)}) must be a function`)
  return {
    ...{ name, windowing, emit, add, merge, upgrade },
    graceMs: options.grace === undefined ? delayMs : durationOrNone(options.grace, at('grace')),
    keepMs: options.keep === undefined ? 0 : durationOrNone(options.keep, at('keep')),
    version: wholeNumber(
      options as object as Record<string, unknown>,
      'version',
      1,
      { min: 1, max: 65_535 },
      at('version'),
    ),
    by: by === undefined ? undefined : (value) => keyOfText(by(value)),
  }
}

function durationOrNone(duration: Duration, option: string): number {
  return duration === 0 ? 0 : durationMs(duration, option)
}

/** How far behind an event its windows can end. */
function horizonOf({
  windowing,
  graceMs,
  keepMs,
}: Pick<AggregateSettings<never, unknown>, 'windowing' | 'graceMs' | 'keepMs'>): number {
  return windowing === undefined ? 0 : lengthOf(windowing) + graceMs + keepMs
}

/** How the results of a table lie to the time. */
function timingBehind(
  {
    windowing,
    graceMs,
    emit,
  }: Pick<AggregateSettings<never, unknown>, 'windowing' | 'graceMs' | 'emit'>,
  before: FlowTiming,
): FlowTiming {
  if (windowing === undefined) return before
  const lengthMs = lengthOf(windowing)
  // A result that is final has the last millisecond of its window, and comes when the time has passed the end and the grace.
  if (emit === 'close') return { delayMs: graceMs + 1, aheadMs: before.aheadMs + lengthMs }
  return { ...before, delayMs: Math.max(before.delayMs, lengthMs + graceMs) }
}

function lengthOf(windowing: Windowing): number {
  return windowing.kind === 'session' ? windowing.gapMs : windowing.sizeMs
}

function added(one: number, other: number): number {
  return one + other
}

function finite(value: number, name: string): number {
  if (Number.isFinite(value)) return value
  throw new Error(`'${name}' cannot sum ${String(value)}`)
}

/** What the functions of a flow are told beside the value. */
export function occasionOf({
  key,
  time,
}: {
  readonly key: string
  readonly time: number
}): Occasion {
  return new KeyedOccasion(key, time)
}

/** Most functions look at the value alone: the key is made text when it is asked for. */
class KeyedOccasion implements Occasion {
  readonly #key: string
  readonly time: number

  constructor(key: string, time: number) {
    this.#key = key
    this.time = time
  }

  get key(): string {
    return textOfKey(this.#key)
  }
}
