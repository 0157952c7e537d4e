import { setTimeout as sleep } from 'node:timers/promises'
import type { InterceptedRequest, Interceptor } from '../broker/index.ts'
import { OptionError } from '../errors.ts'
import { closeConnection, errorAnswer } from '../testing/index.ts'
import type { TestBroker } from '../testing/index.ts'
import type { Control } from './control-server.ts'
import { flag, oneOf, text, whole } from './control-values.ts'
import type { Values } from './control-values.ts'

const actions = ['close', 'lose-answer', 'delay', 'error'] as const

/** What happens to requests of an API. */
interface Fault {
  readonly id: number
  readonly api: string
  readonly action: (typeof actions)[number]
  /** What came with the action: how long a delay is, which error is told. */
  readonly details: Values
  /** How many requests it is still for; null: all, until it is taken away. */
  left: number | null
  remove: () => void
}

/** How many requests are kept while they are recorded; the oldest go first. */
const recordedMax = 10_000

/** What can be done to requests, and seen of them. */
export function requestControls(broker: TestBroker): Control[] {
  return [...faultControls(broker), ...recordingControls(broker)]
}

function faultControls(broker: TestBroker): Control[] {
  const faults = new Map<number, Fault>()
  let last = 0
  const told = ({ id, api, action, details, left }: Fault) => ({
    id,
    api,
    action,
    ...details,
    left,
  })
  return [
    {
      method: 'POST',
      path: '/faults',
      help:
        'api, action (close, lose-answer, delay with delayMs, error with error, a name or a code; ' +
        'place: each, whole; takesEffect: false), times (1; null: until deleted)',
      run({ values }) {
        const api = text(values, 'api')
        const action = oneOf(values, 'action', actions)
        const details = detailsOf(action, values)
        const left = values['times'] === null ? null : whole(values, 'times', 1)
        last += 1
        const fault: Fault = { id: last, api, action, details, left, remove: () => undefined }
        const act = actOf(action, details)
        const interception = broker.intercept(api, (request, proceed) => {
          if (fault.left === 0) return proceed()
          if (fault.left !== null) fault.left -= 1
          return act(request, proceed)
        })
        fault.remove = () => interception[Symbol.dispose]()
        faults.set(fault.id, fault)
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
  ]
}

function detailsOf(action: Fault['action'], values: Values): Values {
  if (action === 'delay') return { delayMs: whole(values, 'delayMs') }
  if (action !== 'error') return {}
  const { error } = values
  const known = typeof error === 'number' ? error : text(values, 'error')
  // Refuses what is no error before any request meets it.
  errorAnswer({ apiKey: 0, body: {} }, known)
  const place = oneOf(values, 'place', ['each', 'whole'] as const, 'each')
  return { error: known, place, takesEffect: flag(values, 'takesEffect') }
}

function actOf(action: Fault['action'], details: Values): Interceptor {
  switch (action) {
    case 'close':
      return () => closeConnection
    case 'lose-answer':
      return async (_request, proceed) => {
        await proceed()
        return closeConnection
      }
    case 'delay':
      return async (_request, proceed) => {
        await sleep(details['delayMs'] as number)
        return proceed()
      }
    case 'error':
      return async (request, proceed) => {
        const answer = errorAnswer(
          request,
          details['error'] as string | number,
          details['place'] as 'each' | 'whole',
        )
        const real = details['takesEffect'] === true ? await proceed() : answer
        // A request that asks for no answer gets none.
        return typeof real === 'object' && !asksForNothing(request) ? answer : closeConnection
      }
  }
}

/** Produce with acks=0: an error is shown by the end of the connection alone. */
function asksForNothing({ apiName, body }: InterceptedRequest): boolean {
  return apiName === 'Produce' && (body as { readonly acks: number }).acks === 0
}

function recordingControls(broker: TestBroker): Control[] {
  const recorded: InterceptedRequest[] = []
  let recording: Disposable | undefined
  return [
    {
      method: 'POST',
      path: '/requests/record',
      help: `begins to keep the requests that come, the last ${recordedMax}, and forgets those before`,
      run() {
        recorded.length = 0
        recording ??= broker.intercept(undefined, (request, proceed) => {
          recorded.push(request)
          if (recorded.length > recordedMax) recorded.shift()
          return proceed()
        })
      },
    },
    {
      method: 'GET',
      path: '/requests',
      help: 'the requests that were kept, in the order in which they came; api',
      run({ values }) {
        const api = values['api'] === undefined ? undefined : text(values, 'api')
        return recorded
          .filter(({ apiName }) => api === undefined || apiName === api)
          .map((request) => withTexts(request))
      },
    },
    {
      method: 'DELETE',
      path: '/requests',
      help: 'keeps no more requests, and forgets those that were',
      run() {
        recording?.[Symbol.dispose]()
        recording = undefined
        recorded.length = 0
      },
    },
  ]
}

/** Bytes as base64: JSON has no form for them. */
function withTexts(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (Array.isArray(value)) return value.map(withTexts)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withTexts(each)]))
}
