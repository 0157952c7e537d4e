import { setTimeout as sleep } from 'node:timers/promises'
import { OptionError } from '../errors.ts'
import { closeConnection } from '../testing/index.ts'
import type { TestBroker } from '../testing/index.ts'
import type { Control } from './control-server.ts'

const actions = ['close', 'lose-answer', 'delay'] as const
type Action = (typeof actions)[number]

/** What happens to requests of an API. */
interface Fault {
  readonly id: number
  readonly api: string
  readonly action: Action
  readonly delayMs: number
  /** How many requests it is still for; null: all, until it is taken away. */
  left: number | null
  readonly remove: () => void
}

/** What `millrace/testing` lets a test do with its broker, for tests in any language. */
export function brokerControls(broker: TestBroker): readonly Control[] {
  return [...faultControls(broker), ...placeControls(broker), ...timeControls(broker)]
}

function faultControls(broker: TestBroker): Control[] {
  const faults = new Map<number, Fault>()
  let last = 0
  const told = ({ id, api, action, delayMs, left }: Fault) => ({ id, api, action, delayMs, left })
  return [
    {
      method: 'POST',
      path: '/faults',
      help: 'api, action (close, lose-answer, delay), times (1; null: until deleted), delayMs',
      run({ values }) {
        const api = text(values, 'api')
        const action = oneOf(values, 'action', actions)
        const delayMs = action === 'delay' ? whole(values, 'delayMs') : 0
        const left = values['times'] === null ? null : whole(values, 'times', 1)
        last += 1
        const fault: Fault = { id: last, api, action, delayMs, left, remove: () => undefined }
        const interception = broker.intercept(api, async (_request, proceed) => {
          if (fault.left === 0) return proceed()
          if (fault.left !== null) fault.left -= 1
          if (action === 'close') return closeConnection
          if (action === 'delay') await sleep(delayMs)
          const outcome = await proceed()
          return action === 'lose-answer' ? closeConnection : outcome
        })
        const remove = () => interception[Symbol.dispose]()
        faults.set(fault.id, Object.assign(fault, { remove }))
        return told(fault)
      },
    },
    {
      method: 'GET',
      path: '/faults',
      help: 'the faults, with how many requests they are still for',
      run: () => [...faults.values()].map(told),
    },
    {
      method: 'DELETE',
      path: '/faults/:id',
      help: 'takes a fault away',
      run({ path }) {
        const fault = faults.get(Number(path['id']))
        if (fault === undefined) throw new OptionError('id', `(${path['id']}) is no fault`)
        fault.remove()
        faults.delete(fault.id)
        return undefined
      },
    },
    {
      method: 'POST',
      path: '/connections/drop',
      help: 'cuts the connections of a node, or of all; node',
      run({ values }) {
        broker.dropConnections(values['node'] === undefined ? undefined : whole(values, 'node'))
        return undefined
      },
    },
  ]
}

function placeControls(broker: TestBroker): Control[] {
  return [
    {
      method: 'POST',
      path: '/nodes/:id/stop',
      help: 'takes a node away; how (gently, abruptly)',
      run: ({ path, values }) =>
        broker.stopNode(
          whole(path, 'id'),
          oneOf(values, 'how', ['gently', 'abruptly'] as const, 'gently'),
        ),
    },
    {
      method: 'POST',
      path: '/nodes/:id/start',
      help: 'brings a node back',
      run: ({ path }) => broker.startNode(whole(path, 'id')),
    },
    {
      method: 'POST',
      path: '/leaders',
      help: 'moves the leader of a partition; topic, partition (0), node',
      run({ values }) {
        const partition = whole(values, 'partition', 0)
        broker.moveLeader(text(values, 'topic'), partition, whole(values, 'node'))
        return undefined
      },
    },
    {
      method: 'POST',
      path: '/coordinators',
      help: 'moves a coordinator; kind (group, transaction), id, node',
      run({ values }) {
        const kind = oneOf(values, 'kind', ['group', 'transaction'] as const)
        broker.moveCoordinator(kind, text(values, 'id'), whole(values, 'node'))
        return undefined
      },
    },
    {
      method: 'GET',
      path: '/records/:topic',
      help: 'the records of a partition, committed or not; partition (0)',
      run: ({ path, values }) => broker.records(text(path, 'topic'), whole(values, 'partition', 0)),
    },
  ]
}

function timeControls(broker: TestBroker): Control[] {
  const simple: readonly (readonly [path: string, help: string, run: () => Promise<void>])[] = [
    ['/retention', 'removes now what is old or too much', () => broker.applyRetention()],
    ['/compaction', 'compacts now', () => broker.compact()],
    ['/offsets/expire', 'expires committed offsets now', () => broker.expireOffsets()],
    [
      '/transactions/abort-timed-out',
      'aborts transactions that have timed out, now',
      () => broker.abortTimedOutTransactions(),
    ],
  ]
  return [
    {
      method: 'POST',
      path: '/sessions/expire',
      help: "ends the session of a group's member; group, member",
      run: ({ values }) => broker.expireSession(text(values, 'group'), text(values, 'member')),
    },
    {
      method: 'POST',
      path: '/time/advance',
      help: "moves the broker's time ahead; ms",
      run: ({ values }) => broker.advanceTime(whole(values, 'ms')),
    },
    ...simple.map(([path, help, run]): Control => ({ method: 'POST', path, help, run })),
  ]
}

type Values = Readonly<Record<string, unknown>>

function text(values: Values, name: string): string {
  const value = values[name]
  if (typeof value === 'string' && value !== '') return value
  throw new OptionError(name, `(${JSON.stringify(value)}) must be a text`)
}

function whole(values: Values, name: string, fallback?: number): number {
  const value = values[name] ?? fallback
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
  throw new OptionError(name, `(${JSON.stringify(value)}) must be a whole number from 0 on`)
}

function oneOf<Word extends string>(
  values: Values,
  name: string,
  words: readonly Word[],
  fallback?: Word,
): Word {
  const value = values[name] ?? fallback
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  throw new OptionError(name, `(${JSON.stringify(value)}) must be one of ${words.join(', ')}`)
}
