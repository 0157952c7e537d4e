import { createService } from 'millrace'
import type { Service } from 'millrace'
import { letterTopics } from './contracts.ts'
import type { Surroundings } from './services.ts'

/** Reads what the others have given up, and counts it by reason: what somebody looks at, or is woken by. */
export function deadLetters(surroundings: Surroundings): Service {
  // Topics of letters are made by those who write them: without them there is nothing to do here.
  const service = createService({ name: 'dead-letters', topicPolicy: 'refuse', ...surroundings })
  const counted = service.metrics.counter({
    name: 'shop_dead_letters_total',
    help: 'Dead letters that were read, by the service that gave the record up and by reason.',
    labels: ['service', 'reason'],
  })
  service.records(
    letterTopics,
    (letter) => {
      const told = (header: string) => letter.header(header)?.toString() ?? 'unknown'
      counted.with({ service: told('consumer-group'), reason: told('error-class') }).add(1)
    },
    { start: 'earliest', deadLetter: false },
  )
  return service
}
