import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const [major, minor] = process.versions.node.split('.').map(Number)

/** Installs the dependencies when they are missing or older than the lock file. Says what it does. */
export function ensureInstalled() {
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Millrace needs Node 20.19 or later; this is ${process.versions.node}.`)
    process.exit(1)
  }
  const installed = `${root}node_modules/.package-lock.json`
  const lock = `${root}package-lock.json`
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  console.error('Installing dependencies (npm ci) ...')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error('npm ci failed; its own message is above.')
    process.exit(1)
  }
}

/** Runs a program of node_modules with this Node; answers its exit code. */
export function runTool(modulePath, args, options = {}) {
  const { status } = spawnSync(process.execPath, [`${root}node_modules/${modulePath}`, ...args], {
    cwd: root,
    stdio: 'inherit',
    ...options,
  })
  return status ?? 1
}
