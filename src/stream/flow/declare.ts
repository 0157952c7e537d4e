import { durationMs, TopicContract } from '../../contract/index.ts'
import type {
  ContractsOf,
  Duration,
  EventContract,
  EventKey,
  EventOf,
} from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import { oneOf, optionsOf, shown } from '../../option-checks.ts'
import type { JoinSettings } from '../operator/join.ts'
import { FlowPlan, takenEvents } from './flow-plan.ts'
import type { FlowInput } from './flow-plan.ts'
import { Flow, newNode } from './flow.ts'

/** What is said of time, whatever is done. */
export interface TimeOptions {
  /** An input that has been read to its end for so long holds the time back no more. @defaultValue '30s' */
  readonly idleAfter?: Duration
  /** An event that is further ahead of the clock is a dead letter: it would make all others late. @defaultValue '1h' */
  readonly maxAhead?: Duration
}

type Chosen<Topic extends TopicContract> = ContractsOf<Topic> | readonly ContractsOf<Topic>[]
type ContractIn<Choice> = Choice extends readonly (infer Contract)[] ? Contract : Choice
type EventIn<Choice> =
  ContractIn<Choice> extends infer Contract extends EventContract ? EventOf<Contract> : never

export interface SourceFlowOptions<
  Topic extends TopicContract,
  Choice extends Chosen<Topic>,
> extends TimeOptions {
  /** Names its group and its state. */
  readonly name: string
  /** The events that are taken; others of the topic are passed over. @defaultValue all */
  readonly events?: Choice
  /** Another key than the record's: records are first written again under it. */
  readonly on?: (event: EventIn<Choice>) => EventKey
}

/** Two events that belong together. Of a side that may be missing, it is undefined where nothing came. */
export interface Joined<Left, Right> {
  readonly left: Left
  readonly right: Right
}

/** An event that came to nothing, and the side that it is of. */
export type LeftOver<Left, Right> =
  | { readonly side: 'left'; readonly event: Left }
  | { readonly side: 'right'; readonly event: Right }

export type JoinType = 'inner' | 'left' | 'outer'

export interface JoinOptions<
  Left extends TopicContract,
  Right extends TopicContract,
  LeftChoice extends Chosen<Left>,
  RightChoice extends Chosen<Right>,
  Type extends JoinType,
> extends TimeOptions {
  /** Names its group and its state. */
  readonly name: string
  /** The events of each topic that are joined; others are passed over. @defaultValue all */
  readonly left?: LeftChoice
  readonly right?: RightChoice
  /** By what they belong together, where that is not the key of the record: of such a side, records are first written again under it. */
  readonly on?: {
    readonly left?: (event: EventIn<LeftChoice>) => EventKey
    readonly right?: (event: EventIn<RightChoice>) => EventKey
  }
  /** What has to be equal beside the key: an order of a user and its payment, where the user is the key of both. */
  readonly where?: {
    readonly left: (event: EventIn<LeftChoice>) => string
    readonly right: (event: EventIn<RightChoice>) => string
  }
  /** How far apart in event time they may be. */
  readonly within: Duration
  /** How much later than in the order of event time an event may come and is joined all the same. */
  readonly grace: Duration
  /** Whether an event without a match is a result too: never, of the left side, of both. @defaultValue 'inner' */
  readonly type?: Type
  /**
   * The sides that have one event of a key at a time. A second one changes nothing while the first is remembered.
   * @defaultValue neither: each event has as many matches as there are
   */
  readonly unique?: 'left' | 'right' | 'both'
}

const timeOptionNames = ['idleAfter', 'maxAhead']
const idleAfterDefault = '30s'
const maxAheadDefault = '1h'

/** A join on its way: what matched, and what came to nothing. */
export class JoinFlow<Left, Right, Result> extends Flow<Result> {
  /** Events that no other came to in time. Where nothing is done with them, they are dead letters. */
  readonly unmatched: Flow<LeftOver<Left, Right>>
  /** Events that came when their time had passed. Where nothing is done with them, they are dead letters. */
  readonly late: Flow<LeftOver<Left, Right>>

  /** Use `join`. */
  constructor(plan: FlowPlan) {
    const { root } = plan
    if (root.kind !== 'join') throw new Error('the plan of a join has a join at its root')
    super(plan, root.results)
    this.unmatched = new Flow(plan, root.unmatched)
    this.late = new Flow(plan, root.late)
  }
}

type JoinResult<Left, Right, Type extends JoinType> = Joined<
  Type extends 'outer' ? Left | undefined : Left,
  Type extends 'inner' ? Right : Right | undefined
>

/**
 * Joins the events of two topics that have the same key and are close in time, whichever comes first.
 *
 * @example
 * const paid = join(orders, payments, {
 *   name: 'paid-orders', left: OrderCreated, right: PaymentCompleted, within: '24h', grace: '15m',
 * })
 * paid.send(invoices, OrderPaid, ({ left, right }) => ({ orderId: left.data.orderId, amount: right.data.amount }))
 * service.add(paid)
 */
export function join<
  Left extends TopicContract,
  Right extends TopicContract,
  LeftChoice extends Chosen<Left> = readonly ContractsOf<Left>[],
  RightChoice extends Chosen<Right> = readonly ContractsOf<Right>[],
  Type extends JoinType = 'inner',
>(
  left: Left,
  right: Right,
  options: JoinOptions<Left, Right, LeftChoice, RightChoice, Type>,
): JoinFlow<
  EventIn<LeftChoice>,
  EventIn<RightChoice>,
  JoinResult<EventIn<LeftChoice>, EventIn<RightChoice>, Type>
> {
  const names = ['name', 'left', 'right', 'on', 'where', 'within', 'grace', 'type', 'unique']
  optionsOf(options, 'join', [...names, ...timeOptionNames])
  const on = options.on ?? {}
  optionsOf(on, 'join.on', ['left', 'right'])
  const inputs = [
    inputOf(left, options.left, on.left, 'join.left'),
    inputOf(right, options.right, on.right, 'join.right'),
  ]
  if ((left as TopicContract) === (right as TopicContract)) {
    throw new OptionError(
      'join',
      `(${left.name}) cannot be joined with itself: read it into a table`,
    )
  }
  const withinMs = durationMs(options.within, 'join.within')
  const graceMs = graceOf(options.grace, 'join.grace')
  const type = oneOf<JoinType>(options.type, 'join.type', ['inner', 'left', 'outer'], 'inner')
  const unique = oneOf(
    options.unique,
    'join.unique',
    ['left', 'right', 'both', 'neither'],
    'neither',
  )
  const isUnique = (side: string) => unique === side || unique === 'both'
  return new JoinFlow(
    new FlowPlan({
      ...{ name: options.name, inputs, ...timesOf(options, 'join') },
      delayMsMax: withinMs + graceMs,
      root: {
        kind: 'join',
        settings: {
          ...{ name: options.name, withinMs, graceMs },
          unique: [isUnique('left'), isUnique('right')],
          where: whereOf(options.where),
        },
        alsoAlone: [type !== 'inner', type === 'outer'],
        results: newNode(),
        unmatched: newNode(),
        late: newNode(),
      },
    }),
  )
}

/**
 * The events of a topic, to be worked into tables or other events.
 *
 * @example
 * const sales = streamOf(paidOrders, { name: 'sales', events: OrderPaid })
 * const byMinute = sales.window(tumbling('1m')).sum('revenue', ({ data }) => data.cents)
 */
export function streamOf<
  Topic extends TopicContract,
  Choice extends Chosen<Topic> = readonly ContractsOf<Topic>[],
>(topic: Topic, options: SourceFlowOptions<Topic, Choice>): Flow<EventIn<Choice>> {
  optionsOf(options, 'streamOf', ['name', 'events', 'on', ...timeOptionNames])
  const events = newNode()
  const plan = new FlowPlan({
    ...{ name: options.name, delayMsMax: 0, ...timesOf(options, 'streamOf') },
    inputs: [inputOf(topic, options.events, options.on, 'streamOf')],
    root: { kind: 'source', events },
  })
  return new Flow(plan, events)
}

function inputOf(
  topic: TopicContract,
  events: EventContract | readonly EventContract[] | undefined,
  on: ((event: never) => EventKey) | undefined,
  option: string,
): FlowInput {
  if (!(topic instanceof TopicContract)) {
    throw new OptionError(option, `(${shown(topic)}) must come from defineTopic`)
  }
  if (topic.isOpen) {
    throw new OptionError(
      option,
      `(${topic.name}) has no events in its contract: nothing is known of their data`,
    )
  }
  if (on === undefined && !topic.hasKey) {
    throw new OptionError(
      option,
      `(${topic.name}) has no key by its contract: say by what its events are worked (on)`,
    )
  }
  if (on !== undefined && typeof on !== 'function') {
    throw new OptionError(`${option}.on`, `(${shown(on)}) must be a function of the event`)
  }
  return { topic, events: takenEvents(topic, events, option), on: on as FlowInput['on'] }
}

function whereOf(where: unknown): JoinSettings['where'] {
  if (where === undefined) return undefined
  const { left, right } = optionsOf(where, 'join.where', ['left', 'right'])
  for (const [side, given] of Object.entries({ left, right })) {
    if (typeof given === 'function') continue
    throw new OptionError(`join.where.${side}`, `(${shown(given)}) must be a function of the event`)
  }
  return [left, right] as unknown as JoinSettings['where']
}

function timesOf(
  { idleAfter = idleAfterDefault, maxAhead = maxAheadDefault }: TimeOptions,
  option: string,
) {
  return {
    idleAfterMs: durationMs(idleAfter, `${option}.idleAfter`),
    maxAheadMs: durationMs(maxAhead, `${option}.maxAhead`),
  }
}

function graceOf(grace: unknown, option: string): number {
  return grace === 0 ? 0 : durationMs(grace, option)
}
