/**
 * The order pipeline: a shop that writes orders and payments; services that ship them, enrich them, book payments and
 * join both; and an account at the
 * end that is taken from the topics alone. On the embedded broker, or on a Kafka that is there (`--kafka`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBroker } from 'millrace/broker'
import { takeAccount } from './account.ts'
import { BrokerProcess } from './broker-process.ts'
import { services } from './services.ts'
import { produce } from './source.ts'
import { View } from './view.ts'
import { Workers } from './workers.ts'

const usage = `npm start -- [options]

  --for 10s              how long orders come in (s or m)
  --rate 500             orders a second
  --workers 2            runs each service in so many processes of its own
  --chaos                kills one of these processes now and then, and the embedded broker; 2 workers, where nothing else is said
  --kafka HOST:PORT,...  a cluster that is there already, instead of the embedded broker

Examples: npm start -- --for 1m --rate 2000
          npm start -- --for 30s --chaos
`

const say = (text: string) => process.stdout.write(`${text}\n`)
const { values } = parseArgs({
  options: {
    for: { type: 'string', default: '10s' },
    rate: { type: 'string', default: '500' },
    workers: { type: 'string' },
    chaos: { type: 'boolean', default: false },
    kafka: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  say(usage)
  process.exit(0)
}
const lastsMs = millisecondsIn('--for', values.for)
const rate = countIn('--rate', values.rate)
const workerCount = countIn('--workers', values.workers ?? (values.chaos ? '2' : '0'))
if (values.chaos && workerCount === 0) throw new Error('--chaos needs --workers 1 or more')

const log = () => undefined
// Who was killed is missed within seconds.
const properties = {
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.heartbeat.interval.ms': '1000',
  'group.consumer.session.timeout.ms': '6000',
  'group.consumer.min.session.timeout.ms': '6000',
  'group.consumer.min.heartbeat.interval.ms': '1000',
}
await using broker = await startOwnBroker()
let brokerCrashes = 0
const kept = values.chaos ? 'on disk' : 'in memory'
const brokers = values.kafka ?? broker?.bootstrap ?? ''
const kafka = { brokers, log }
const where = broker === undefined ? 'Kafka' : `The embedded broker (${kept}, gone when this ends)`
say(`${where} is at ${brokers}.`)

await using view = new View(kafka)
const running = await startServices()
say(
  `Services: ${Object.keys(services).join(', ')}${running.told}. Orders come in for ${values.for}.`,
)

const ending = new AbortController()
process.once('SIGINT', () => ending.abort())
process.once('SIGTERM', () => ending.abort())
const source = produce({ kafka, rate, lastsMs, signal: ending.signal })
source.catch(() => ending.abort())
const untilMs = performance.now() + lastsMs
while (performance.now() < untilMs && !ending.signal.aborted) {
  await sleep(1_000)
  if (values.chaos) await wreak()
  say(await view.line())
}
ending.abort()
const produced = await source
say(`The shop is closed: ${JSON.stringify(produced)}. The services finish what is left.`)
try {
  await untilNothingIsLeft()
} finally {
  await running.end()
}

const account = await takeAccount(kafka)
say('')
for (const line of account.lines) say(line)
if (values.chaos) {
  say(
    `chaos        ${running.killed()} processes were killed, and the broker ${brokerCrashes} times`,
  )
}
say(account.failures.length === 0 ? 'All that was promised to be zero is zero.' : 'NOT AS PROMISED')
process.exitCode = account.failures.length === 0 ? 0 : 1

/** Kills one of the services, or the broker, now and then. */
async function wreak(): Promise<void> {
  if (Math.random() < 0.3) say(`killed ${running.killOne()}`)
  if (!(broker instanceof BrokerProcess) || Math.random() > 0.08) return
  await broker.crash()
  brokerCrashes++
  say('killed the broker, and started it again')
}

/** In a process of its own where it is going to be killed. */
async function startOwnBroker() {
  if (values.kafka !== undefined) return undefined
  return values.chaos ? BrokerProcess.start(properties) : startBroker({ properties })
}

/** In this process, or in processes of their own. */
async function startServices() {
  if (workerCount > 0) {
    const workers = new Workers(brokers, workerCount)
    // They make the topics.
    await until(async () => view.look())
    return {
      told: ` in ${workerCount} processes each`,
      killOne: () => workers.killOne(),
      killed: () => workers.killed,
      end: async () => workers.end(),
    }
  }
  const started = Object.values(services).map((make) => {
    return make({ kafka, log, metrics: { port: 0 } })
  })
  for (const service of started) await service.start()
  const end = async () => {
    await Promise.all(started.map(async (service) => service.stop()))
  }
  return { told: '', killOne: () => 'nobody', killed: () => 0, end }
}

async function untilNothingIsLeft(): Promise<void> {
  await until(async () => {
    const { lag } = await view.look()
    if (Object.values(lag).some((left) => left > 0)) throw new Error('something is left')
  })
}

/** Waits until it does not fail any more. */
async function until(look: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await look()
      return
    } catch (error) {
      if (tries === 300) throw error
      await sleep(200)
    }
  }
}

function millisecondsIn(option: string, text: string): number {
  const [, count, unit] = /^(\d+)(s|m)$/.exec(text) ?? []
  if (count === undefined) throw new Error(`${option} (${text}) must be a time such as 30s or 2m`)
  return Number(count) * (unit === 'm' ? 60_000 : 1_000)
}

function countIn(option: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new Error(`${option} (${text}) must be a whole number`)
}
