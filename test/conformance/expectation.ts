import { expect } from 'vitest'
import { kafkaErrorName, type KafkaErrorName } from '../../src/protocol/index.ts'

/** Asserts an error code by Kafka's name for it. */
export function expectError(code: number | undefined, name: KafkaErrorName): void {
  expect(code === undefined ? 'no answer' : kafkaErrorName(code)).toBe(name)
}
