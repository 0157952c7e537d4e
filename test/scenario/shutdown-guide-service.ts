/** The service of docs/guides/shutdown.md, run as it stands there. */
// #region service
import { createService, kafkaFromEnv } from '../../src/runtime/index.ts'

const service = createService({
  name: 'audit',
  kafka: kafkaFromEnv(),
  connectTimeoutMs: 30_000,
  metrics: false,
})

service.records(
  'orders',
  async (record, { signal }) => {
    await store(record.value, signal)
  },
  { start: 'earliest', drainMs: 10_000 },
)

await service.run()
await closeStore()
// #endregion

async function store(value: Buffer | null, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise((resolve) => process.stdout.write(`stored ${String(value)}\n`, resolve))
}

async function closeStore(): Promise<void> {
  await new Promise((resolve) => process.stdout.write('closed\n', resolve))
}
