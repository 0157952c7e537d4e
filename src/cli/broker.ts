import { releaseNames, startBroker } from '../broker/index.ts'
import type { BrokerOptions, EmbeddedBroker, ReleaseName } from '../broker/index.ts'
import { OptionError } from '../errors.ts'
import type { Log } from '../observe/index.ts'
import type { ParsedArguments } from './arguments.ts'
import { wholeNumber } from './arguments.ts'
import { securityOf, securityOptions } from './broker-security.ts'
import type { Command } from './command.ts'
import type { ControlServer } from './control-server.ts'

const defaultPort = 9092

export const brokerCommand: Command = {
  name: 'broker',
  summary: 'Run the embedded Kafka broker: for development, tests and demos, on one machine.',
  options: [
    { name: 'port', value: 'PORT', help: 'Port of the first node (9092); 0 picks free ones.' },
    { name: 'host', value: 'HOST', help: 'Address to listen on (127.0.0.1).' },
    { name: 'advertised-host', value: 'HOST', help: 'Host that clients are told (as --host).' },
    { name: 'data', value: 'DIR', help: 'Keep everything in this folder; else in memory.' },
    {
      name: 'durability',
      value: 'WHEN',
      help: "'sync' (with --data): acknowledge after fdatasync; 'page-cache': at once.",
    },
    { name: 'nodes', value: 'N', help: 'Number of nodes (1); they do not replicate.' },
    { name: 'partitions', value: 'N', help: 'Partitions of topics made without a number (1).' },
    { name: 'no-auto-create', help: 'Do not make topics that clients ask for.' },
    { name: 'set', value: 'NAME=VALUE', repeat: true, help: "A Kafka property, by Kafka's name." },
    {
      name: 'control',
      value: 'PORT',
      help: 'Let programs on this machine inject faults over HTTP here; 0 picks a free port.',
    },
    { name: 'as-version', value: 'RELEASE', help: "Pass for Kafka '2.8', '3.9' or '4.1'." },
    ...securityOptions,
  ],
  examples: [
    'millrace broker',
    'millrace broker --port 0 --nodes 3 --partitions 6',
    'millrace broker --data ./kafka-data --set log.retention.hours=24',
    'millrace broker --as-version 2.8',
    'millrace broker --port 0 --nodes 3 --control 9095',
    'millrace broker --users users.txt --acl --super-user admin',
    'millrace broker --users users.txt --tls-cert cert.pem --tls-key key.pem --host 0.0.0.0',
    'millrace broker --oauth-jwks keys.json --oauth-issuer https://login.example --oauth-audience kafka',
    'millrace broker --tls-cert cert.pem --tls-key key.pem --tls-ca clients.pem --acl --super-user CN=admin',
  ],
  async run(given) {
    const options = brokerOptions(given)
    const say = (text: string) => process.stdout.write(`${text}\n`)
    const { broker, control } = await start(options, given.value('control'))
    // Before anybody can know that there is something to stop.
    const signals = watchSignals()
    try {
      say(describeStorage(options))
      if (control !== undefined) say(`faults can be injected on http://127.0.0.1:${control.port}`)
      say(`listening on ${broker.bootstrap}`)
      const failure = await Promise.race([signals.received, broker.failure])
      if (failure !== undefined) process.exitCode = 1
      await control?.close()
      await closeAfter(failure, broker)
    } finally {
      signals.release()
    }
  },
}

type RunningBroker = Pick<EmbeddedBroker, 'bootstrap' | 'failure' | 'close'>

/** Starts the broker, with a test's hands on it where somebody is to control it. */
async function start(
  options: BrokerOptions,
  controlPort: string | undefined,
): Promise<{ broker: RunningBroker; control: ControlServer | undefined }> {
  if (controlPort === undefined) return { broker: await startBroker(options), control: undefined }
  const port = wholeNumber('--control', controlPort, 0, 65_535)
  // Loaded only by those who need it: it is more than the broker itself.
  const { startBroker: startTestBroker } = await import('../testing/index.ts')
  const { brokerControls } = await import('./broker-controls.ts')
  const { startControlServer } = await import('./control-server.ts')
  const broker = await startTestBroker(options)
  try {
    return { broker, control: await startControlServer(port, brokerControls(broker)) }
  } catch (error) {
    await broker.close()
    throw error
  }
}

function describeStorage({ data }: BrokerOptions): string {
  return data === undefined
    ? 'Millrace broker, in memory: what it holds is gone when it ends. One machine, no replication.'
    : `Millrace broker, data in ${data}. One machine, no replication.`
}

function brokerOptions(given: ParsedArguments): BrokerOptions {
  const data = given.value('data')
  const durability = given.value('durability')
  if (durability !== undefined && durability !== 'sync' && durability !== 'page-cache') {
    throw new OptionError('--durability', `(${durability}) must be sync or page-cache`)
  }
  const asVersion = given.value('as-version')
  const host = given.value('host')
  const advertisedHost = given.value('advertised-host')
  return {
    port: wholeNumber('--port', given.value('port') ?? String(defaultPort), 0, 65_535),
    nodes: wholeNumber('--nodes', given.value('nodes') ?? '1', 1, 100),
    properties: properties(given),
    log: logToStandardError,
    ...(host === undefined ? {} : { host }),
    ...(advertisedHost === undefined ? {} : { advertisedHost }),
    ...(data === undefined ? {} : { data }),
    ...(durability === undefined ? {} : { durability }),
    ...(asVersion === undefined ? {} : { asVersion: releaseNamed(asVersion) }),
    ...securityOf(given),
  }
}

function properties(given: ParsedArguments): Record<string, string> {
  const partitions = given.value('partitions')
  const set = given.values('set').map((text) => {
    const equals = text.indexOf('=')
    if (equals < 1) throw new OptionError('--set', `(${text}) must be NAME=VALUE`)
    return [text.slice(0, equals), text.slice(equals + 1)] as const
  })
  return {
    ...(partitions === undefined
      ? {}
      : { 'num.partitions': String(wholeNumber('--partitions', partitions, 1, 10_000)) }),
    ...(given.has('no-auto-create') ? { 'auto.create.topics.enable': 'false' } : {}),
    ...Object.fromEntries(set),
  }
}

function releaseNamed(text: string): ReleaseName {
  const found = releaseNames.find((name) => name === text)
  if (found !== undefined) return found
  throw new OptionError('--as-version', `(${text}) must be one of ${releaseNames.join(', ')}`)
}

const logToStandardError: Log = (level, message, fields = {}) => {
  if (level === 'debug') return
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${String(value)}`)
    .join('')
  process.stderr.write(`${level}: ${message}${details}\n`)
}

/** A failed disk has been reported; that its files do not close in order either says nothing new. */
async function closeAfter(failure: Error | undefined, broker: RunningBroker): Promise<void> {
  try {
    await broker.close()
  } catch (error) {
    if (failure === undefined) throw error
  }
}

/** Exit codes of a process that a signal has ended, as shells give them. */
const signalExitCodes = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

interface Signals {
  /** Resolves at the first signal. A second one ends the process at once. */
  readonly received: Promise<undefined>
  /** Lets the process end by itself. */
  release(): void
}

function watchSignals(): Signals {
  // A pending promise alone does not keep Node alive, and neither must the broker's own timers.
  const keepAlive = setInterval(() => undefined, 2 ** 30)
  const received = new Promise<undefined>((resolve) => {
    let asked = false
    for (const [signal, exitCode] of signalExitCodes) {
      process.on(signal, () => {
        if (asked) process.exit(exitCode)
        asked = true
        resolve(undefined)
      })
    }
  })
  return { received, release: () => clearInterval(keepAlive) }
}
