export { Client, createClient } from './client.ts'
export { ConnectionError, KafkaError } from './client-error.ts'
export type { ClientOptions, TlsOptions } from './options.ts'
export type { BearerToken, Credentials, SaslOptions } from './connection/sasl/sasl-options.ts'
