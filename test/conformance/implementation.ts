/** Which implementation of the protocol the suite is run against, and where it listens. */
import { startRealKafka } from '../kafka/real-kafka.ts'

/** Their names are also the values of MILLRACE_CONFORMANCE and the keys of the difference table. */
export const implementationNames = [
  'embedded',
  'embedded-3-nodes',
  'kafka-4.1',
  'kafka-4.1-3-nodes',
  'kafka-3.9',
  'attached',
] as const

export type ImplementationName = (typeof implementationNames)[number]

export interface Implementation extends AsyncDisposable {
  readonly bootstrap: string
  /** A listener that asks for a login; undefined where there is none. */
  readonly saslBootstrap: string | undefined
  /** As whom to log in everywhere, where nobody is let in without. */
  readonly login?: { readonly user: string; readonly password: string }
}

/** Who may log in at `saslBootstrap`. */
export const saslLogin = { user: 'alice', password: 'wonderland' }

const users = { [saslLogin.user]: saslLogin.password }

/** The implementation that this run is about. */
export function chosenImplementation(): ImplementationName {
  const given = process.env['MILLRACE_CONFORMANCE'] ?? 'embedded'
  const found = implementationNames.find((name) => name === given)
  if (found === undefined) {
    throw new Error(
      `MILLRACE_CONFORMANCE (${given}) must be one of ${implementationNames.join(', ')}`,
    )
  }
  return found
}

/**
 * What differs from Kafka's defaults, for every implementation alike: less waiting, and no topic
 * that nobody has asked for.
 */
const properties = {
  'auto.create.topics.enable': 'false',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
  'group.initial.rebalance.delay.ms': '0',
  'log.cleaner.backoff.ms': '300',
  'log.retention.check.interval.ms': '300',
}

const replicated = { 'default.replication.factor': '3' }

/** Kafka waits half a minute before it looks after its logs for the first time. */
const kafkaProperties = { ...properties, 'log.initial.task.delay.ms': '300' }

/** Starts an implementation. */
export async function startImplementation(name: ImplementationName): Promise<Implementation> {
  switch (name) {
    case 'embedded':
      return startEmbedded(1, properties)
    case 'embedded-3-nodes':
      return startEmbedded(3, { ...properties, ...replicated })
    case 'kafka-4.1':
      return startRealKafka({ version: '4.1.1', properties: kafkaProperties, users })
    case 'kafka-4.1-3-nodes':
      return startRealKafka({
        version: '4.1.1',
        nodes: 3,
        properties: { ...kafkaProperties, ...replicated },
        users,
      })
    case 'kafka-3.9':
      return startRealKafka({ version: '3.9.1', properties: kafkaProperties, users })
    case 'attached':
      return startRealKafka()
  }
}

async function startEmbedded(
  nodes: number,
  given: Readonly<Record<string, string>>,
): Promise<Implementation> {
  const { startBroker } = await import('../../src/testing/index.ts')
  const broker = await startBroker({ nodes, properties: given })
  // An embedded broker asks for logins everywhere or nowhere: a second one does.
  const withLogins = await startBroker({ nodes, properties: given, users })
  return {
    bootstrap: broker.bootstrap,
    saslBootstrap: withLogins.bootstrap,
    async [Symbol.asyncDispose]() {
      await Promise.all([broker[Symbol.asyncDispose](), withLogins[Symbol.asyncDispose]()])
    },
  }
}
