/** Promise: nothing of Apache Kafka outlives the process that started it, even after `kill -9`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { FrameConnection } from './frame-connection.ts'

/** Starts Kafka, prints where it is, and waits for its end. */
const starter = `
  import { startRealKafka } from ${JSON.stringify(join(import.meta.dirname, 'real-kafka.ts'))}
  const kafka = await startRealKafka()
  console.log(JSON.stringify({ address: kafka.bootstrap, folder: kafka.folder }))
  setInterval(() => undefined, 1000)
`

async function accepts(address: string): Promise<boolean> {
  try {
    const connection = await FrameConnection.open(address)
    connection.close()
    return true
  } catch {
    return false
  }
}

it('goes with a process that is killed', { timeout: 60_000 }, async () => {
  const options = ['--import', 'tsx', '--input-type=module', '--eval', starter]
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { address, folder } = JSON.parse(line) as { address: string; folder: string }
  expect(await accepts(address)).toBe(true)
  expect(existsSync(folder)).toBe(true)
  child.kill('SIGKILL')
  await expect.poll(() => accepts(address), { timeout: 20_000 }).toBe(false)
  await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false)
})
