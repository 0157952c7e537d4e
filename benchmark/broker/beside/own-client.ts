import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildWorker, copyBuild, runToEnd } from '../../side-by-side.ts'
import type { Measurement } from '../../stopwatch.ts'
import type { Task } from '../../client/task.ts'
import type { Server } from './servers.ts'

/** Our own client in a process of its own, as `bench:client` runs it. */
export interface OwnClient extends Disposable {
  run(server: Server, task: Task): Promise<Measurement>
}

export async function prepareOwnClient(): Promise<OwnClient> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-benchmark-'))
  const worker = await buildWorker(new URL('../../client/worker.ts', import.meta.url), folder)
  const built = copyBuild('bench-broker')
  return {
    async run({ bootstrap }, task) {
      const order = join(folder, 'order.json')
      writeFileSync(order, JSON.stringify({ subject: 'millrace', bootstrap, task, built }))
      const { code, output, trouble } = await runToEnd(process.execPath, [worker, order])
      if (code !== 0) throw new Error(`our client has failed: ${trouble}`)
      return JSON.parse(output) as Measurement
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
