import { describe, expect, it } from 'vitest'
import type { Broker, Cluster } from './cluster.ts'
import { OwnConnections } from './own-connections.ts'

/** Remembers which connections were asked for, and which were ended. */
function watchedCluster() {
  const used: string[] = []
  const ended: string[] = []
  const brokers = new Map<string, Broker>()
  const broker = (nodeId: number, purpose: string): Broker => {
    const name = `${nodeId} ${purpose}`
    used.push(name)
    const known = brokers.get(name) ?? ({ nodeId, reconnect: () => ended.push(name) } as never)
    brokers.set(name, known)
    return known
  }
  const cluster = {
    broker,
    coordinator: (_kind: string, _key: string, purpose: string) =>
      Promise.resolve(broker(9, purpose)),
  }
  return { cluster: cluster as unknown as Cluster, used, ended }
}

describe('connections of its own', () => {
  it('are nobody else’s while they are open, and others’ afterwards', async () => {
    const { cluster, used, ended } = watchedCluster()
    const first = new OwnConnections(cluster, 'fetch')
    const second = new OwnConnections(cluster, 'group')
    first.broker(1)
    await second.coordinator('readers')
    first.broker(2)
    first.broker(1)
    expect(used).toEqual(['1 fetch 1', '9 group 2', '2 fetch 1', '1 fetch 1'])
    first.close()
    first.close()
    expect(ended).toEqual(['1 fetch 1', '2 fetch 1'])
    new OwnConnections(cluster, 'fetch').broker(1)
    new OwnConnections(cluster, 'fetch').broker(1)
    expect(used.slice(4)).toEqual(['1 fetch 1', '1 fetch 3'])
  })

  it('of another cluster have numbers of their own', () => {
    const [one, other] = [watchedCluster(), watchedCluster()]
    new OwnConnections(one.cluster, 'fetch').broker(1)
    new OwnConnections(other.cluster, 'fetch').broker(1)
    expect(other.used).toEqual(['1 fetch 1'])
  })
})
