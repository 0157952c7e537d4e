import { array, int16, int32, int64, int8, list, string } from '../wire/field.ts'
import { Message } from '../wire/message.ts'

/** The key of the state of a transactional id. */
export const transactionKey = new Message('TransactionLogKey', '0', 'none', {
  transactionalId: string('0'),
})

/** The state of a transactional id. */
export const transactionValue = new Message('TransactionLogValue', '0-1', '1+', {
  producerId: int64('0+'),
  previousProducerId: int64('1+', { default: -1, tag: [0, '1+'] }),
  nextProducerId: int64('1+', { default: -1, tag: [1, '1+'] }),
  producerEpoch: int16('0+'),
  nextProducerEpoch: int16('1+', { default: -1, tag: [3, '1+'] }),
  transactionTimeoutMs: int32('0+'),
  transactionStatus: int8('0+'),
  transactionPartitions: array(
    '0+',
    {
      topic: string('0+'),
      partitionIds: list('0+', 'int32'),
    },
    { nullable: '0+' },
  ),
  transactionLastUpdateTimestampMs: int64('0+'),
  transactionStartTimestampMs: int64('0+'),
  clientTransactionVersion: int16('1+', { default: 0, tag: [2, '1+'] }),
})
