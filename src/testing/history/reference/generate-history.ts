import { ReferenceGroup, ReferenceMember } from './reference-group.ts'
import { ReferenceWorld } from './reference-world.ts'
import {
  produce,
  produceAhead,
  readAssigned,
  readEverything,
  transact,
} from './reference-clients.ts'
import type { Defect } from './reference-world.ts'
import type { History } from '../operation.ts'

/** What a generated history is made of. The same options give the same history. */
export interface GenerateOptions {
  readonly seed: number
  /** How often it is some process' turn; an operation takes about three. */
  readonly turnCount?: number
  readonly logCount?: number
  /** How many there are each of producers, readers and transactors. */
  readonly clientCount?: number
  /** How many members the group has. */
  readonly memberCount?: number
  readonly defect?: Defect
}

/**
 * A history of the reference model: a few processes of each sort in random order, on logs that
 * behave exactly as Kafka promises, or but for one defect.
 */
export function generateHistory(options: GenerateOptions): History {
  const { seed, turnCount = 1500, logCount = 3, clientCount = 2, memberCount = 2, defect } = options
  const world = new ReferenceWorld(seed, logCount, defect)
  const group = new ReferenceGroup('fulfilment')
  for (let number = 1; number <= clientCount; number += 1) {
    world.start(produce(world, `producer-${number}`))
    world.start(readAssigned(world, `reader-${number}`))
    world.start(transact(world, `transactor-${number}`))
  }
  for (let number = 1; number <= memberCount; number += 1) {
    world.start(new ReferenceMember(world, group, `member-${number}`).run())
  }
  world.start(produceAhead(world, 'eager-producer'))
  world.run(turnCount)
  world.start(readEverything(world, 'final-reader'))
  world.run(0)
  return { events: world.history.events }
}
