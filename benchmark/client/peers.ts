import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The clients that ours is measured beside, as they are published. */
const versions = {
  kafkajs: '2.2.4',
  'platformatic-1': 'npm:@platformatic/kafka@1.35.0',
  'platformatic-2': 'npm:@platformatic/kafka@2.12.1',
  // What @platformatic/kafka needs; also to report ours on it.
  node: '24',
} as const

export interface Peers {
  readonly folder: string
  /** Node 24. */
  readonly node24: string
}

/** Installs the peers, once, where they are nobody's dependencies. */
export function installPeers(): Peers {
  const folder = fileURLToPath(new URL('../../.cache/peers', import.meta.url))
  const node24 = `${folder}/node_modules/node/bin/node`
  if (!existsSync(node24)) {
    process.stderr.write('Installing the clients to compare with ...\n')
    mkdirSync(folder, { recursive: true })
    const manifest = { name: 'peers', private: true, dependencies: versions }
    writeFileSync(`${folder}/package.json`, JSON.stringify(manifest, null, 2))
    writeFileSync(`${folder}/load-peer.mjs`, 'export const loadPeer = (name) => import(name)\n')
    const { status } = spawnSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--loglevel=error'],
      {
        cwd: folder,
        stdio: 'inherit',
      },
    )
    if (status !== 0) throw new Error('the clients to compare with could not be installed')
  }
  return { folder, node24 }
}
