/**
 * Runs the order pipeline and judges it: the shop, the services, what is shown of them, those who kill them, and an account at the
 * end that is taken from the topics alone. On the embedded broker, or on a Kafka that is there (`--kafka`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startBroker } from 'millrace/broker'
import { services } from '../services.ts'
import { openShop } from '../shop.ts'
import { takeAccount } from './account/account.ts'
import { BrokerProcess } from './broker-process.ts'
import { renderLive, renderPlain } from './live-view.ts'
import { MetricsPages } from './metrics-pages.ts'
import { Observer } from './observer.ts'
import { optionsIn, usage } from './options.ts'
import { ProgressReader } from './progress.ts'
import { ServicesHere } from './running-services.ts'
import { Screen } from './screen.ts'
import { Workers } from './workers.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const options = optionsIn(process.argv.slice(2), {
  isTerminal: process.stdout.isTTY,
  env: process.env,
})
if (options === undefined) {
  say(usage)
  process.exit(0)
}
const { lastsMs, rate, chaos, isLive, colors } = options

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
const brokers = options.brokers ?? broker?.bootstrap ?? ''
const kafka = { brokers, log }
const kept = chaos ? 'on disk' : 'in memory'
const where = broker === undefined ? 'Kafka' : `The embedded broker (${kept}, gone when this ends)`
const cluster = `${where} is at ${brokers}.`
if (!isLive) say(cluster)

const ending = new AbortController()
process.once('SIGINT', () => ending.abort())
process.once('SIGTERM', () => ending.abort())
const pages = new MetricsPages()
await using progress = new ProgressReader(kafka)
const running =
  options.workers > 0
    ? new Workers(brokers, options.workers, pages)
    : new ServicesHere(kafka, pages)
const happenings: string[] = []
try {
  await startServices()
  await keepShop()
  await until(nothingIsLeft)
} finally {
  await running.end()
}

const account = await takeAccount(kafka)
say('')
for (const line of account.lines) say(line)
if (chaos) {
  say(`chaos        ${running.killed} processes were killed, and the broker ${brokerCrashes} times`)
}
say(account.failures.length === 0 ? 'All that was promised to be zero is zero.' : 'NOT AS PROMISED')
process.exitCode = account.failures.length === 0 ? 0 : 1

/** In a process of its own where it is going to be killed. */
async function startOwnBroker() {
  if (options?.brokers !== undefined) return undefined
  return chaos ? BrokerProcess.start(properties) : startBroker({ properties })
}

async function startServices(): Promise<void> {
  const names = Object.keys(services) as (keyof typeof services)[]
  for (const name of names.slice(0, -1)) await running.start(name)
  // They make the topics that the last one reads.
  await until(async () => progress.read())
  for (const name of names.slice(-1)) await running.start(name)
  const told = options?.workers === 0 ? '' : ` in ${options?.workers ?? 0} processes each`
  if (!isLive) say(`Services: ${names.join(', ')}${told}.`)
}

/** Lets orders in for their time, shows what becomes of them, and goes on showing it until all is done. */
async function keepShop(): Promise<void> {
  await using observer = await Observer.start(kafka, pages)
  using screen = isLive ? new Screen(process.stdout) : undefined
  const untilMs = performance.now() + lastsMs
  const shop = openShop({ kafka, rate, lastsMs, signal: ending.signal })
  shop.catch(() => ending.abort())
  while (performance.now() < untilMs && !ending.signal.aborted) {
    await sleep(Math.min(1_000, Math.max(0, untilMs - performance.now())), undefined, {
      signal: ending.signal,
    }).catch(() => undefined)
    if (chaos) await wreak(screen)
    const secondsLeft = Math.max(0, Math.ceil((untilMs - performance.now()) / 1_000))
    await show(observer, screen, `open for ${secondsLeft} s more`)
  }
  ending.abort()
  const produced = await shop
  if (screen === undefined) {
    say(`The shop is closed: ${JSON.stringify(produced)}. The services finish what is left.`)
    return
  }
  await until(async () => {
    await show(observer, screen, 'closed; the services finish what is left')
    await nothingIsLeft()
  })
  await show(observer, screen, 'closed')
}

async function show(observer: Observer, screen: Screen | undefined, shop: string): Promise<void> {
  const state = { ...(await observer.look()), cluster, shop: `the shop is ${shop}`, happenings }
  if (screen === undefined) say(renderPlain(state))
  else screen.draw(renderLive(state, { columns: screen.columns, colors }))
}

/** Kills one of the services, or the broker, now and then. */
async function wreak(screen: Screen | undefined): Promise<void> {
  const tell = (text: string): void => {
    happenings.push(text)
    if (screen === undefined) say(text)
  }
  if (Math.random() < 0.3) tell(`killed ${running.killOne()}`)
  if (!(broker instanceof BrokerProcess) || Math.random() > 0.08) return
  await broker.crash()
  brokerCrashes++
  tell('killed the broker, and started it again')
}

async function nothingIsLeft(): Promise<void> {
  const left = (await progress.read()).filter(({ lag }) => lag > 0)
  if (left.length === 0) return
  throw new Error(`left: ${left.map(({ service, lag }) => `${lag} for ${service}`).join(', ')}`)
}

/** Waits until it does not fail any more. */
async function until(look: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await look()
      return
    } catch (error) {
      if (tries === 100) throw error
      await sleep(200)
    }
  }
}
