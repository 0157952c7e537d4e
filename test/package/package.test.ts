/**
 * Promise: the package works as it is installed: with its dependencies alone, none of the optional ones, and types that
 * a strict compiler takes without looking away.
 *
 * Command: npm run test:package
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
const entryPoints = Object.keys(manifest.exports)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => `millrace${path.slice(1)}`)

const service = `
import { createService, defineEvent, defineTopic, Type } from 'millrace'
import { startBroker } from 'millrace/testing'

const OrderCreated = defineEvent('ORDER_CREATED', { data: Type.Object({ orderId: Type.String() }) })
const orders = defineTopic('orders', { events: [OrderCreated], key: ({ data }) => data.orderId })

await using kafka = await startBroker()
await using service = createService({
  name: 'shop',
  kafka: { brokers: kafka.bootstrap },
  metrics: false,
  log: () => undefined,
})
const handled = new Promise<string>((resolve) => {
  service.consumer(orders, { start: 'earliest' }).on(OrderCreated, ({ data }) => resolve(data.orderId))
})
await service.start()
await service.publish(OrderCreated, { orderId: 'o-1' })
console.log(await handled)
`

const compilerOptions = {
  ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: ['node'] },
  ...{ module: 'nodenext', target: 'es2022', lib: ['es2023', 'esnext.disposable'], outDir: 'out' },
}

describe('the package', () => {
  let folder = ''
  let complaints = ''

  const runNode = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })

  /** The project of somebody who has installed it. */
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))
    execFileSync(process.execPath, ['scripts/build.js'], { cwd: root, stdio: 'ignore' })
    const packed = ['pack', '--ignore-scripts', '--silent', `--pack-destination=${folder}`]
    const tarball = execFileSync('npm', packed, { cwd: root, encoding: 'utf8' }).trim()
    execFileSync('tar', ['-xzf', tarball], { cwd: folder })
    const installed = join(folder, 'node_modules')
    mkdirSync(installed)
    symlinkSync(join(folder, 'package'), join(installed, 'millrace'))
    // Not from a registry: what is installed here are the versions that the lock file names.
    for (const name of dependenciesOf(Object.keys(manifest.dependencies))) {
      mkdirSync(dirname(join(installed, name)), { recursive: true })
      symlinkSync(join(root, 'node_modules', name), join(installed, name))
    }
    mkdirSync(join(installed, '@types'))
    for (const name of ['@types/node', 'undici-types']) {
      symlinkSync(join(root, 'node_modules', name), join(installed, name))
    }
    const files = ['entries.ts', 'service.ts']
    const project = {
      'package.json': { type: 'module' },
      'tsconfig.json': { compilerOptions, files },
    }
    for (const [name, content] of Object.entries(project)) {
      writeFileSync(join(folder, name), JSON.stringify(content))
    }
    const imports = entryPoints.map((path, index) => `import * as entry${index} from '${path}'`)
    const names = entryPoints.map((_, index) => `entry${index}`)
    const count = `console.log([${names.join()}].map((entry) => Object.keys(entry).length > 0))`
    writeFileSync(join(folder, 'entries.ts'), [...imports, count].join('\n'))
    writeFileSync(join(folder, 'service.ts'), service)
    const compiler = [
      join(root, 'node_modules/typescript/bin/tsc'),
      '--preserveSymlinks',
      '-p',
      '.',
    ]
    complaints = spawnSync(process.execPath, compiler, { cwd: folder, encoding: 'utf8' }).stdout
  }, 480_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('has types that a strict compiler takes', () => {
    expect(complaints).toBe('')
  })

  it('has entry points that can be imported, each', () => {
    expect(runNode('--preserve-symlinks', 'out/entries.js')).not.toContain('false')
  })

  it('runs a service on its own broker', () => {
    expect(runNode('--preserve-symlinks', 'out/service.js')).toBe('o-1\n')
  })

  it('has a command', () => {
    expect(runNode('package/bin/millrace.js', '--help')).toMatch(/^ +broker /m)
  })

  it('contains neither tests nor sources', () => {
    const listing = execFileSync('find', ['package', '-name', '*.ts', '-not', '-name', '*.d.ts'], {
      ...{ cwd: folder, encoding: 'utf8' },
    })
    expect(listing).toBe('')
  })
})

/** These and what they need themselves. */
function dependenciesOf(names: readonly string[]): ReadonlySet<string> {
  const all = new Set(names)
  for (const name of all) {
    const path = join(root, 'node_modules', name, 'package.json')
    const { dependencies = {} } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>
    for (const needed of Object.keys(dependencies)) {
      if (existsSync(join(root, 'node_modules', needed))) all.add(needed)
    }
  }
  return all
}
