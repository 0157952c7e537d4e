import { describe, expect, it } from 'vitest'
import { MillraceError, ProtocolError } from '../../errors.ts'
import { kafkaError } from '../../protocol/index.ts'
import type { KafkaErrorName } from '../../protocol/index.ts'
import { ConnectionError } from '../client-error.ts'
import { attemptOf, attemptWithout } from './attempt.ts'

function answerWith(name: KafkaErrorName, logStartOffset = 0) {
  return {
    errorCode: kafkaError[name],
    baseOffset: 4,
    logAppendTimeMs: -1,
    logStartOffset,
    recordErrors: [],
    errorMessage: null,
  }
}

function attempt(
  name: KafkaErrorName,
  options: { logStartOffset?: number; transactional?: true } = {},
) {
  const answer = answerWith(name, options.logStartOffset)
  const made = attemptOf(answer, { topic: 'orders', partition: 0 }, options.transactional ?? false)
  return 'mayBeWritten' in made ? `${made.kind}, may be written: ${made.mayBeWritten}` : made.kind
}

describe('what an answer means for a batch', () => {
  it.each([
    ['NONE', 'written'],
    ['DUPLICATE_SEQUENCE_NUMBER', 'written'],
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'sequence refused'],
    ['UNKNOWN_PRODUCER_ID', 'sequence refused'],
    ['INVALID_PRODUCER_EPOCH', 'sequence refused'],
    ['MESSAGE_TOO_LARGE', 'too large'],
    ['NOT_LEADER_OR_FOLLOWER', 'retry, may be written: true'],
    ['REQUEST_TIMED_OUT', 'retry, may be written: true'],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry, may be written: true'],
    ['KAFKA_STORAGE_ERROR', 'retry, may be written: true'],
    ['NETWORK_EXCEPTION', 'retry, may be written: true'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'retry, may be written: true'],
    ['NOT_ENOUGH_REPLICAS', 'retry, may be written: false'],
    ['CORRUPT_MESSAGE', 'retry, may be written: false'],
    ['UNKNOWN_TOPIC_ID', 'retry, may be written: false'],
    ['INVALID_RECORD', 'failed, may be written: false'],
    ['TOPIC_AUTHORIZATION_FAILED', 'failed, may be written: false'],
    ['INVALID_TIMESTAMP', 'failed, may be written: false'],
    ['UNKNOWN_SERVER_ERROR', 'failed, may be written: true'],
  ] as const)('%s: %s', (name, meaning) => {
    expect(attempt(name)).toBe(meaning)
  })

  it('depends on where the log starts, and on the transaction', () => {
    const withoutStart = attempt('UNKNOWN_PRODUCER_ID', { logStartOffset: -1 })
    expect(withoutStart).toBe('retry, may be written: false')
    const fenced = attempt('INVALID_PRODUCER_EPOCH', { transactional: true })
    expect(fenced).toBe('failed, may be written: false')
  })

  it('passes soon where only the transaction before is still being ended', () => {
    const place = { topic: 'orders', partition: 0 }
    const passesSoon = (name: KafkaErrorName) => attemptOf(answerWith(name), place, true)
    expect(passesSoon('CONCURRENT_TRANSACTIONS')).toMatchObject({ passesSoon: true })
    expect(passesSoon('NOT_ENOUGH_REPLICAS')).toMatchObject({ passesSoon: false })
  })

  it('is certain without an answer only where nothing was sent', () => {
    const lost = attemptWithout(new ConnectionError('lost', true))
    expect(lost).toMatchObject({ kind: 'retry', mayBeWritten: true })
    const unsent = attemptWithout(new ConnectionError('refused', false))
    expect(unsent).toMatchObject({ kind: 'retry', mayBeWritten: false })
    const login = new MillraceError('MILLRACE_CLIENT_LOGIN_FAILED', 'no')
    expect(attemptWithout(login)).toMatchObject({ kind: 'failed', mayBeWritten: false })
    // An answer that cannot be read says that there was one.
    const garbled = attemptWithout(new ProtocolError('bytes are left over'))
    expect(garbled).toMatchObject({ kind: 'failed', mayBeWritten: true })
  })
})
