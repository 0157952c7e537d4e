import { describe, expect, it } from 'vitest'
import { kafkaError } from '../../protocol/index.ts'
import { findCoordinator } from './10-find-coordinator.ts'
import { GroupHandlers } from './group-fixture.ts'

describe('FindCoordinator', () => {
  it('names the node, and sees to it that there is a topic for it', async () => {
    const handlers = new GroupHandlers()
    handlers.coordinator = 2
    const one = await handlers.ask(findCoordinator, 1, { key: 'g', keyType: 0 })
    expect(one).toMatchObject({ errorCode: 0, nodeId: 2, host: 'two', port: 9002 })
    expect(handlers.prepared).toBe(1)
    const { coordinators } = await handlers.ask(findCoordinator, 4, {
      keyType: 1,
      coordinatorKeys: ['x', 'y'],
    })
    expect(coordinators.map(({ key, nodeId, errorCode }) => [key, nodeId, errorCode])).toEqual([
      ['x', 2, 0],
      ['y', 2, 0],
    ])
  })

  it('says when there is none, and when the kind of key is not known', async () => {
    const handlers = new GroupHandlers()
    handlers.coordinator = undefined
    const away = await handlers.ask(findCoordinator, 0, { key: 'g' })
    expect(away).toMatchObject({
      errorCode: kafkaError.COORDINATOR_NOT_AVAILABLE,
      nodeId: -1,
      host: '',
      port: -1,
    })
    const { coordinators } = await handlers.ask(findCoordinator, 6, {
      keyType: 2,
      coordinatorKeys: ['g:id:0'],
    })
    expect(coordinators[0]?.errorCode).toBe(kafkaError.INVALID_REQUEST)
  })
})
