import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { startBroker as StartBroker } from '../../../src/broker/index.ts'
import type { Sample } from './judge.ts'

/*
 * A broker in a process of its own that says what it holds. Arguments: the folder of a build, and the
 * options of the broker as JSON.
 */

interface Builds {
  readonly startBroker: typeof StartBroker
}

const [built = '', options = '{}'] = process.argv.slice(2)
const { startBroker } = (await import(pathToFileURL(join(built, 'broker/index.js')).href)) as Builds
const broker = await startBroker({
  ...(JSON.parse(options) as object),
  log: (level, message, fields) => {
    if (level === 'error') process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
  },
})

function sample(): Sample {
  // What is left after a collection is what is held; anything else is what was not collected yet.
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return {
    residentBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    handles: process.getActiveResourcesInfo().length,
    files: readdirSync('/proc/self/fd').length,
  }
}

process.on('message', (asked) => {
  if (asked === 'sample') process.send?.(sample())
  if (asked === 'end') {
    void broker.close().then(() => {
      process.disconnect()
    })
  }
})
process.send?.({ bootstrap: broker.bootstrap })
