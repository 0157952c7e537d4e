/** What every scenario starts with: a broker of its own, and kafkajs clients that end with it. */
import { startBroker, type TestBroker, type TestBrokerOptions } from '../../src/testing/index.ts'
import { Cluster } from '../clients/kafkajs/cluster.ts'

export { until, valueOf } from '../clients/kafkajs/cluster.ts'

export interface Scenario extends AsyncDisposable {
  readonly broker: TestBroker
  /** kafkajs, connected to the broker. */
  readonly clients: Cluster
}

/** Starts a broker in memory; disposing of the answer closes the clients first, then the broker. */
export async function startScenario(options: TestBrokerOptions = {}): Promise<Scenario> {
  const broker = await startBroker(options)
  const clients = new Cluster({
    name: 'a broker in memory',
    bootstrap: broker.bootstrap,
    saslBootstrap: undefined,
    tlsBootstrap: undefined,
    listsBootstrap: undefined,
    authorityFile: undefined,
    user: '',
    password: '',
  })
  return {
    broker,
    clients,
    async [Symbol.asyncDispose]() {
      await clients[Symbol.asyncDispose]()
      await broker.close()
    },
  }
}

/** `count` records, `value-0` and so on, each with a key of its own. */
export function numbered(count: number, from = 0): { key: string; value: string }[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${from + index}`,
    value: `value-${from + index}`,
  }))
}

export function valuesOf(messages: readonly { value: string }[]): string[] {
  return messages.map(({ value }) => value)
}
