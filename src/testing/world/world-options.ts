import { TopicContract } from '../../contract/index.ts'
import { OptionError } from '../../errors.ts'
import { optionsOf, shown, wholeNumber } from '../../option-checks.ts'
import type { GivenOptions } from '../../option-checks.ts'
import type { PlainTopic } from './world-broker.ts'
import type { ServiceMaker } from './world-worker.ts'

/** A service that several processes run. */
export interface WorldService {
  readonly make: ServiceMaker
  /** How many processes run it: `'fulfilment-1'`, `'fulfilment-2'`. @defaultValue 1 */
  readonly workers?: number
}

export interface TestWorldOptions {
  /** What lives in the world, by names that faults use: what makes a service, each time that a process of it starts. */
  readonly services: Readonly<Record<string, ServiceMaker | WorldService>>
  /** Topics that are there before anything starts; those with contracts can be published to and read by them. */
  readonly topics?: readonly (TopicContract | PlainTopic)[]
  /** Everything that is left to chance follows from it: the same seed, the same history. @defaultValue 1 */
  readonly seed?: number
  /**
   * `'virtual'`: time jumps to whatever happens next, and goes as real time only while a handler waits for something real
   * (a timer of Node, a file, a connection). `'real'`: it always goes as real time. @defaultValue 'virtual'
   */
  readonly time?: 'virtual' | 'real'
  /** How long after its end a process is started again; `false`: never. @defaultValue 1000 */
  readonly restartMs?: number | false
  /** How many nodes the broker has. @defaultValue as many as the topic with the most replicas needs */
  readonly nodes?: number
  /** The broker's properties, by Kafka's names. */
  readonly properties?: Readonly<Record<string, string>>
}

export interface ResolvedWorldOptions {
  readonly services: readonly {
    readonly name: string
    readonly make: ServiceMaker
    readonly workers: number
  }[]
  readonly topics: readonly (TopicContract | PlainTopic)[]
  readonly seed: number
  readonly isRealTime: boolean
  readonly restartMs: number | undefined
  readonly nodes: number
  readonly properties: Readonly<Record<string, string>>
}

const optionNames = ['services', 'topics', 'seed', 'time', 'restartMs', 'nodes', 'properties']
/** Hosts of the world that are no services. */
const taken = new Set(['broker', 'test'])
const workersMax = 100
const restartMsDefault = 1_000
const restartMsMax = 24 * 3_600_000
const nodesMax = 100

/** What would keep a real second waiting: a member that was killed is noticed soon. */
const realTimeProperties = {
  'group.consumer.min.session.timeout.ms': '500',
  'group.consumer.session.timeout.ms': '2000',
  'group.consumer.min.heartbeat.interval.ms': '100',
  'group.consumer.heartbeat.interval.ms': '300',
}

export function resolveWorldOptions(options: TestWorldOptions): ResolvedWorldOptions {
  const given = optionsOf(options, '', optionNames)
  const { time = 'virtual' } = options
  if (!['virtual', 'real'].includes(time)) {
    throw new OptionError('time', `(${shown(time)}) must be 'virtual' or 'real'`)
  }
  const topics = options.topics ?? []
  if (!Array.isArray(topics)) throw new OptionError('topics', 'must be a list of topics')
  const replicas = topics.map((topic) =>
    topic instanceof TopicContract ? (topic.settings.replicas ?? 1) : 1,
  )
  const isRealTime = time === 'real'
  return {
    services: servicesOf(given['services']),
    topics,
    seed: wholeNumber(given, 'seed', 1, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    isRealTime,
    restartMs:
      options.restartMs === false
        ? undefined
        : wholeNumber(given, 'restartMs', restartMsDefault, { min: 0, max: restartMsMax }),
    nodes: wholeNumber(given, 'nodes', Math.max(1, ...replicas), { min: 1, max: nodesMax }),
    properties: { ...(isRealTime && realTimeProperties), ...options.properties },
  }
}

function servicesOf(given: unknown): ResolvedWorldOptions['services'] {
  if (given === undefined)
    throw new OptionError('services', 'is missing: what lives in this world?')
  const services = Object.entries(given as GivenOptions)
  return services.map(([name, service]) => {
    const option = `services.${name}`
    if (!/^[a-z][\w.-]{0,99}$/i.test(name) || taken.has(name)) {
      const allowed = `letters, digits, '.', '_' and '-', and not ${[...taken].join(' or ')}`
      throw new OptionError(option, `cannot be the name of a service; allowed are ${allowed}`)
    }
    if (typeof service === 'function') return { name, make: service as ServiceMaker, workers: 1 }
    const known = optionsOf(service, option, ['make', 'workers'])
    if (typeof known['make'] !== 'function') {
      throw new OptionError(`${option}.make`, 'must be a function that makes the service')
    }
    const range = { min: 1, max: workersMax }
    const workers = wholeNumber(known, 'workers', 1, range, `${option}.workers`)
    return { name, make: known['make'] as ServiceMaker, workers }
  })
}
