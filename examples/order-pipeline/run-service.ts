/**
 * One service in a process of its own, as in a pod: `run-service.ts fulfilment`. The environment says where Kafka is
 * (KAFKA_BROKERS and the others of docs/guides/security.md) and where metrics are served. SIGTERM ends it in order.
 */
import { kafkaFromEnv } from 'millrace'
import { services } from './services.ts'

const [name = ''] = process.argv.slice(2)
const make = Object.entries(services).find(([known]) => known === name)?.[1]
if (make === undefined) {
  const known = Object.keys(services).join(', ')
  throw new Error(`there is no service '${name}'; known are ${known}`)
}
const { METRICS_PORT: port = '9464', METRICS_HOST: host = '127.0.0.1' } = process.env
await make({ kafka: kafkaFromEnv(), metrics: { port: Number(port), host } }).run()
