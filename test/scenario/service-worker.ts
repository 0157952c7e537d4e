/**
 * A service as a process of its own, for what only a process can show. It says on standard output what its handler
 * begins and ends; `MODE` says how the handler behaves.
 */
import { createService, kafkaFromEnv } from '../../src/runtime/index.ts'

const hangs = process.env['MODE'] === 'hang'
const tell = (line: string) => process.stdout.write(`${line}\n`)

const service = createService({
  name: 'worker',
  kafka: kafkaFromEnv(),
  metrics: false,
  connectTimeoutMs: Number(process.env['CONNECT_TIMEOUT_MS'] ?? 30_000),
  log: (level, message) => process.stderr.write(`${level} ${message}\n`),
})

service.records(
  'orders',
  async ({ value }) => {
    tell(`begin ${value?.toString() ?? ''}`)
    // A handler that hangs ignores its signal, and keeps the process alive.
    await new Promise((resolve) => setTimeout(resolve, hangs ? 600_000 : 5))
    tell(`end ${value?.toString() ?? ''}`)
  },
  { start: 'earliest', concurrency: 16, drainMs: hangs ? 300 : 10_000 },
)

await service.run()
tell('the program goes on')
