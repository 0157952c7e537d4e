import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The clients that ours is measured beside, as they are published. */
const versions = {
  kafkajs: '2.2.4',
  'platformatic-1': 'npm:@platformatic/kafka@1.35.0',
  'platformatic-2': 'npm:@platformatic/kafka@2.12.1',
  // What @platformatic/kafka needs; also to report ours on it.
  node: '24',
} as const
const confluentVersions = { '@confluentinc/kafka-javascript': '1.10.1' } as const

export interface Peers {
  readonly folder: string
  /** Node 24. */
  readonly node24: string
  /** Why a client that was asked for cannot be run here. */
  readonly missing: ReadonlyMap<string, string>
}

/** Installs the peers, once, where they are nobody's dependencies. */
export function installPeers(subjects: readonly string[]): Peers {
  const folder = fileURLToPath(new URL('../../.cache/peers', import.meta.url))
  const node24 = `${folder}/node_modules/node/bin/node`
  if (!existsSync(node24) && !install(folder, versions)) {
    throw new Error('the clients to compare with could not be installed')
  }
  const missing = new Map<string, string>()
  if (subjects.includes('confluent')) {
    const reason = buildConfluent(`${folder}/confluent`)
    if (reason !== undefined) missing.set('confluent', reason)
  }
  return { folder, node24, missing }
}

/**
 * Its add-on is built from the sources that come with it, which takes minutes: against the system's libraries,
 * because otherwise the build would load the sources of others from where they are published, one by one.
 * Answers why there is none.
 */
export function buildConfluent(folder: string): string | undefined {
  const addOn = `${folder}/node_modules/@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node`
  if (existsSync(addOn)) return undefined
  const tools = ['g++', 'make', 'python3']
  const absent = tools.filter((tool) => spawnSync(tool, ['--version']).status !== 0)
  if (absent.length > 0) return `it has to be compiled, which needs ${absent.join(', ')} here`
  const prefix = dirname(dirname(process.execPath))
  const hasHeaders = existsSync(`${prefix}/include/node/node.h`)
  const isInstalled = install(folder, confluentVersions, {
    CKJS_LINKING: 'dynamic',
    npm_config_build_from_source: 'true',
    ...(hasHeaders ? { npm_config_nodedir: prefix } : {}),
  })
  return isInstalled && existsSync(addOn) ? undefined : 'it could not be compiled'
}

function install(
  folder: string,
  dependencies: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): boolean {
  process.stderr.write(`Installing ${Object.keys(dependencies).join(', ')} to compare with ...\n`)
  mkdirSync(folder, { recursive: true })
  const manifest = { name: 'peers', private: true, dependencies }
  writeFileSync(`${folder}/package.json`, JSON.stringify(manifest, null, 2))
  writeFileSync(`${folder}/load-peer.mjs`, 'export const loadPeer = (name) => import(name)\n')
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  })
  return status === 0
}
