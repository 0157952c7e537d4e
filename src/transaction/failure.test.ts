import { describe, expect, it } from 'vitest'
import { DeliveryError, KafkaError } from '../client/index.ts'
import { kafkaError } from '../protocol/index.ts'
import { mayPass } from './failure.ts'

const refusal = (code: number) => new KafkaError(code, 'produce to changelog-0')

/** As a transaction has it: around what became of a record. */
function failedBy(reason: Error): Error {
  const topic = 'changelog'
  const delivery = new DeliveryError(
    { topic, partition: 0, definitelyNotWritten: false, reason: reason.message },
    { cause: reason },
  )
  return new Error('the transaction cannot be committed', { cause: delivery })
}

const timeIsOver = (last: Error) => new Error('deliveryTimeoutMs (2000) is over', { cause: last })

describe('a transaction that failed', () => {
  it('is not made again where a broker takes no record of that size', () => {
    expect(mayPass(failedBy(refusal(kafkaError.MESSAGE_TOO_LARGE)))).toBe(false)
  })

  it('is made again where time was over after a batch had been cut in two', () => {
    const last = refusal(kafkaError.MESSAGE_TOO_LARGE)
    expect(mayPass(failedBy(timeIsOver(last)))).toBe(true)
  })

  it('is not made again where a topic was not there, or not allowed, until time was over', () => {
    for (const code of [
      kafkaError.UNKNOWN_TOPIC_OR_PARTITION,
      kafkaError.TOPIC_AUTHORIZATION_FAILED,
    ]) {
      expect(mayPass(failedBy(timeIsOver(refusal(code))))).toBe(false)
    }
  })
})
