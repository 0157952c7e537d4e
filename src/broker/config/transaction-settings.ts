import type { TransactionSettings } from '../transaction/settings.ts'
import type { BrokerConfig } from './broker-config.ts'

/** The broker's settings for transactions; each is read anew when it is asked for. */
export function transactionSettings(
  broker: BrokerConfig,
  transactionVersion: () => TransactionSettings['transactionVersion'],
): TransactionSettings {
  return {
    get maxTimeoutMs() {
      return broker.transactionMaxTimeoutMs
    },
    get idExpirationMs() {
      return broker.transactionalIdExpirationMs
    },
    get abortTimedOutIntervalMs() {
      return broker.transactionAbortTimedOutTransactionCleanupIntervalMs
    },
    get removeExpiredIntervalMs() {
      return broker.transactionRemoveExpiredTransactionCleanupIntervalMs
    },
    get verifiesPartitions() {
      return broker.transactionPartitionVerificationEnable
    },
    get addPartitionsWaitMsMax() {
      return broker.addPartitionsToTxnRetryBackoffMaxMs
    },
    get transactionVersion() {
      return transactionVersion()
    },
  }
}
