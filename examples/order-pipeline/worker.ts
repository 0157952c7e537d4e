import { kafkaFromEnv } from 'millrace'
import { services } from './services.ts'

/* One service by its name, as it would run in a pod: `node worker.ts fulfilment`, with the usual variables for Kafka. */

const [name = ''] = process.argv.slice(2)
const make = Object.entries(services).find(([known]) => known === name)?.[1]
if (make === undefined) {
  const known = Object.keys(services).join(', ')
  throw new Error(`there is no service '${name}'; known are ${known}`)
}
await make({ kafka: kafkaFromEnv(), metrics: { port: 0 } }).run()
