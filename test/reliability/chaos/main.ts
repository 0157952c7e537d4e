/** `npm run chaos`: clients do the same work under the same faults, on three nodes of Apache Kafka. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { installPeers } from '../../../benchmark/client/peers.ts'
import { ChaosCluster } from './chaos-cluster.ts'
import { clients } from './clients.ts'
import { recordTrial } from './figures.ts'
import { schedules } from './schedules.ts'
import { runTrial } from './trial.ts'
import type { TrialResult } from './trial.ts'

const say = (text: string) => process.stdout.write(`${text}\n`)
const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: clients.map(({ name }) => name).join(',') },
    schedules: { type: 'string', default: schedules.map(({ name }) => name).join(',') },
    // Writes the figures down for docs/reliability.md.
    record: { type: 'boolean', default: false },
  },
})
const chosenClients = chosen('--clients', values.clients, clients)
const chosenSchedules = chosen('--schedules', values.schedules, schedules)

const root = fileURLToPath(new URL('../../..', import.meta.url))
// Beside node_modules, where a bundle finds what it imports.
const programs = join(root, '.cache', `chaos-${process.pid}`)
mkdirSync(programs, { recursive: true })
try {
  const program = join(programs, 'worker.mjs')
  await bundleWorker(program)
  const { folder: peers, node24, missing } = installPeers(chosenClients.map(({ name }) => name))
  await using cluster = await ChaosCluster.start()
  for (const schedule of chosenSchedules) {
    for (const client of chosenClients) {
      const title = `${schedule.name} · ${client.name}`
      const reason = missing.get(client.name)
      if (reason !== undefined) {
        say(`skipped  ${title}: ${reason}`)
        continue
      }
      const node = client.needsNode24 === true ? node24 : process.execPath
      const result = await runTrial({ client, schedule, cluster, node, program, peers })
      say(`${title}: ${told(result)}`)
      if (values.record) recordTrial(client.name, schedule.name, result)
    }
  }
} finally {
  rmSync(programs, { recursive: true, force: true })
}

function told(result: TrialResult): string {
  const { records, missing, duplicated, outOfOrder, stalledSeconds, isStuck, crashes } = result
  return [
    `${missing} missing, ${duplicated} duplicated, ${outOfOrder} out of order of ${records}`,
    isStuck ? 'it stood still for ever' : `it stood still for ${stalledSeconds} s at most`,
    `${crashes} crashes`,
  ].join('; ')
}

async function bundleWorker(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    ...{ outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20.19' },
    ...{ packages: 'external', sourcemap: 'inline', logLevel: 'warning' },
  })
}

function chosen<Each extends { readonly name: string }>(
  option: string,
  text: string,
  all: readonly Each[],
): readonly Each[] {
  return text.split(',').map((name) => {
    const found = all.find((each) => each.name === name)
    if (found !== undefined) return found
    const known = all.map((each) => each.name).join(', ')
    throw new Error(`${option} (${name}) must be some of ${known}`)
  })
}
