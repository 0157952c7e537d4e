import { expectTypeOf } from 'vitest'
import type { Event } from '../../contract/index.ts'
import { createService } from '../../runtime/index.ts'
import type { TestWorldOptions } from './world-options.ts'
import { OrderCreated, orders } from './fixture/fulfilment.ts'
import type { TestWorld } from './test-world.ts'

type OrderCreatedEvent = Event<'ORDER_CREATED', { orderId: string }>

// Checked by the type checker alone: each line that must not compile is marked as such.
export async function worldTypes(world: TestWorld): Promise<void> {
  await world.publish(OrderCreated, { orderId: 'o-1' })
  // @ts-expect-error: not the data of this event
  await world.publish(OrderCreated, { orderId: 1 })

  const [record] = await world.records(orders)
  expectTypeOf(record?.event).toEqualTypeOf<OrderCreatedEvent | undefined>()
  const [plain] = await world.records('audit')
  expectTypeOf(plain?.event).toEqualTypeOf<Event | undefined>()
  const [letter] = await world.deadLetters(orders)
  expectTypeOf(letter?.event).toEqualTypeOf<OrderCreatedEvent | undefined>()
  expectTypeOf(letter?.attempts).toEqualTypeOf<number | undefined>()
}

export const options: TestWorldOptions = {
  services: {
    fulfilment: (environment) => createService({ name: 'fulfilment', ...environment }),
    // @ts-expect-error: answers nothing that can run
    nothing: () => undefined,
    // @ts-expect-error: how many processes is a number
    many: { make: (environment) => createService({ name: 'n', ...environment }), workers: 'two' },
  },
}
