import { describe, expect, it } from 'vitest'
import { defineEvent, defineTopic, Type } from '../contract/index.ts'
import type { LogFields } from '../observe/index.ts'
import type { ConsumerEvents } from './consumer-events.ts'
import { logFailures } from './consumer-log.ts'
import { Delivery } from './delivery.ts'
import { startRuntimeWorld } from './fixture/runtime-world.ts'
import { createService } from './service/service.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

function collected() {
  const lines: Line[] = []
  const log = (level: string, message: string, fields: LogFields = {}) => {
    lines.push({ level, message, fields })
  }
  return { lines, log }
}

describe('the log of a consumer', () => {
  it('names each record that fails, and its letter, and says nothing of what is in it', async () => {
    await using world = await startRuntimeWorld()
    const { lines, log } = collected()
    await using service = createService({
      name: 'shop',
      kafka: world.newDriver(),
      metrics: false,
      log,
    })
    const OrderCreated = defineEvent('ORDER_CREATED', {
      data: Type.Object({ secret: Type.String() }),
    })
    const orders = defineTopic('orders', { events: [OrderCreated], key: ({ data }) => data.secret })
    service
      .consumer(orders, { start: 'earliest', retry: { attempts: 2, delayMs: 1 } })
      .on(OrderCreated, () => {
        throw new RangeError('the shelf is empty')
      })
    await service.start()
    await service.publish(OrderCreated, { secret: 'hush' }, { id: 'o-1' })
    const envelope = { id: 'o-2', type: 'ORDER_CREATED', timestamp: 1, data: { secret: 4711 } }
    await world.newSink().send({ topic: 'orders', key: 'hush', value: JSON.stringify(envelope) })
    const letters = () => lines.filter(({ message }) => message === 'a record became a dead letter')
    await expect.poll(() => letters().length, { timeout: 20_000 }).toBe(2)

    const event = { topic: 'orders', offset: 0, eventId: 'o-1', eventType: 'ORDER_CREATED' }
    const failed = lines.filter(({ message }) => message.startsWith('a handler failed'))
    expect(failed).toHaveLength(2)
    expect(failed[0]).toMatchObject({
      level: 'warn',
      message: 'a handler failed: its record is tried again',
      fields: {
        ...{ ...event, attempt: 1, error: 'RangeError: the shelf is empty' },
        stack: expect.stringContaining('consumer-log.test') as string,
      },
    })
    const byOffset = letters().sort(
      ({ fields: { offset: one } }, { fields: { offset: other } }) => Number(one) - Number(other),
    )
    expect(byOffset[0]?.fields).toMatchObject({ ...event, attempt: 2 })
    expect(byOffset[1]?.fields).toMatchObject({
      ...{ offset: 1, reason: 'data-invalid' },
      error: expect.stringContaining('data.secret') as string,
    })
    expect(JSON.stringify(lines)).not.toMatch(/hush|4711/)
  })

  it('says twenty of them a minute, and how many there were besides', () => {
    let nowMs = 0
    const { lines, log } = collected()
    let counted = 0
    const counting = { failed: () => counted++ } as unknown as ConsumerEvents
    const events = logFailures(counting, log, { elapsedMs: () => nowMs })
    const fail = () => {
      events.failed(new Delivery('orders', 0, { offset: 7 } as never), 'no', 'retry')
    }
    for (let times = 0; times < 100; times++) fail()
    expect(lines).toHaveLength(20)
    nowMs = 60_000
    fail()
    expect(lines.at(-1)?.fields).toMatchObject({ error: 'no', alsoSince: 80 })
    expect(counted).toBe(101)
  })
})
