import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../src/errors.ts'

/** The rules of the house that a program can check. Each test names the rule it holds. */
const root = fileURLToPath(new URL('..', import.meta.url))

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(root, path)))

const sources = tracked.filter((path) => /^src\/.*\.ts$/.test(path))
/** Tests, and what only tests use: `*-fixture.ts` and everything in a folder `fixture` or `golden`. */
const testCode = /\.test(-d)?\.ts$|-fixture\.ts$|\/(?:fixture|golden)\//
const product = sources.filter((path) => !testCode.test(path))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** The areas from the ground up: one may import those before it in the list, and itself. */
const areas = [
  ['platform'],
  ['observe', 'contract', 'protocol'],
  ['client', 'broker'],
  ['driver', 'store', 'registry'],
  ['runtime'],
  ['transaction'],
  ['stream', 'outbox'],
  ['operate'],
  ['testing'],
  ['cli', 'console'],
]

function areaOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

function levelOf(area: string): number {
  return areas.findIndex((level) => level.includes(area))
}

interface Import {
  readonly from: string
  readonly to: string
}

const imports: Import[] = sources.flatMap((from) =>
  [...read(from).matchAll(/(?:from|import\()\s*'(\.{1,2}\/[^']+)'/g)].map((match) => ({
    from,
    to: normalize(join(dirname(from), match[1] ?? '')),
  })),
)

/** Lines of the given files that match, as `path:line: text`. */
function linesWith(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`] : [],
      ),
  )
}

describe('areas', () => {
  const present = [...new Set(sources.flatMap((path) => areaOf(path) ?? []))]

  it('are all in the list of areas, with a README.md and an index.ts', () => {
    expect(present.filter((area) => levelOf(area) === -1)).toEqual([])
    const lacking = present.flatMap((area) =>
      ['README.md', 'index.ts']
        .map((file) => `src/${area}/${file}`)
        .filter((path) => !existsSync(join(root, path))),
    )
    expect(lacking).toEqual([])
  })

  it('import one another only through index.ts', () => {
    const deep = imports.filter(({ from, to }) => {
      const target = areaOf(to)
      if (target === undefined || target === areaOf(from)) return false
      if (testCode.test(from)) return false
      return (
        to !== `src/${target}/index.ts` &&
        !/^src\/protocol\/(records|compression)\/index\.ts$/.test(to)
      )
    })
    expect(deep).toEqual([])
  })

  it('import only downwards', () => {
    const upwards = imports.filter(({ from, to }) => {
      const [source, target] = [areaOf(from), areaOf(to)]
      if (source === undefined || target === undefined || source === target) return false
      if (testCode.test(from) && (target === 'testing' || target === 'broker')) return false
      return levelOf(target) >= levelOf(source)
    })
    expect(upwards).toEqual([])
  })

  it('keep their test code out of what is published', () => {
    const published = imports.filter(({ from, to }) => !testCode.test(from) && testCode.test(to))
    expect(published).toEqual([])
  })

  it('leave the broker and the client apart', () => {
    const crossing = imports.filter(({ from, to }) => {
      if (testCode.test(from)) return false
      const pair = [areaOf(from), areaOf(to)]
      return pair.includes('broker') && pair.includes('client')
    })
    expect(crossing).toEqual([])
  })
})

describe('the platform seam', () => {
  const isBehind = (path: string) => !/^src\/(platform|cli|console)\//.test(path)
  const seen = product.filter(isBehind)
  /** What tests are made of may run in the simulation as well. */
  const fixtures = sources.filter(
    (path) => isBehind(path) && /-fixture\.ts$|\/fixture\//.test(path),
  )

  it('is the only place that touches time, chance, sockets and files', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b|(?<![.\w])performance\.|\bprocess\.(?:hrtime|nextTick)\b|'node:(?:net|tls|fs|fs\/promises|http|https|dns|dgram|worker_threads|child_process)'|\brandomUUID\b|\brandomBytes\b|\bAbortSignal\.timeout\b|(?<![.#\w])(?<!async )fetch\(/
    const simulated = [...seen, ...fixtures].filter((path) => !path.startsWith('src/testing/'))
    expect(linesWith(simulated, impure)).toEqual([])
  })

  it('is the only place that hands work to other threads', () => {
    const offThread =
      /(?<!offload\.)\b(?:gzip|gunzip|deflate|inflate|brotliCompress|pbkdf2|scrypt)\(.*(?:=>|callback)/
    expect(linesWith(seen, offThread)).toEqual([])
  })
})

describe('code', () => {
  it('has no leftovers', () => {
    const text = tracked.filter(
      (path) => /\.(ts|js|md|json|sh)$/.test(path) && path !== 'test/tidy.test.ts',
    )
    const left = new RegExp(
      `\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`,
    )
    expect(linesWith(text, left)).toEqual([])
  })

  it('skips no test without a reason on the line', () => {
    const tests = tracked.filter(
      (path) => path.endsWith('.test.ts') && path !== 'test/tidy.test.ts',
    )
    const silent = linesWith(tests, /\b(?:it|test|describe)\.(?:only|todo|skip)\(/)
    expect(silent.filter((line) => !line.includes('//'))).toEqual([])
  })

  it('hides with #private and has no private, protected or public members', () => {
    // A constructor is the one member that JavaScript cannot hide with `#`.
    expect(linesWith(product, /^\s+(?:private|protected|public)\s(?!constructor\()/)).toEqual([])
  })

  it('names nothing after the work that produced it', () => {
    const campaign =
      /(?:^|[-_/.])(?:sweep|resweep|round\d+|phase\d+|issue\d+|audit|wip|tmp|old|new2)(?:[-_.]|$)/i
    expect(tracked.filter((path) => campaign.test(path))).toEqual([])
  })

  it('names no package registry and no address of a package in lock files', () => {
    const locks = tracked.filter((path) => /(?:package-lock\.json|\.npmrc|pom\.xml)$/.test(path))
    expect(linesWith(locks, /"resolved": *"https?:|^ *registry *=|<repository>/)).toEqual([])
  })
})

describe('documents', () => {
  const pages = tracked.filter((path) => path.endsWith('.md'))

  it('link to files that exist', () => {
    const broken = pages.flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].flatMap((match) => {
        const target = join(dirname(page), match[1] ?? '')
        return existsSync(join(root, target)) ? [] : [`${page} → ${match[1] ?? ''}`]
      }),
    )
    expect(broken).toEqual([])
  })

  it('list every error code once, with its retriable flag', () => {
    const rows = [
      ...read('docs/reference/errors.md').matchAll(/^\| `(MILLRACE_\w+)` +\| (yes|no) /gm),
    ]
    const documented = rows.map((row) => [row[1], row[2] === 'yes'])
    const registered = Object.entries(errorCodes).map(([code, { retriable }]) => [code, retriable])
    expect(documented).toEqual(registered)
  })

  it('number decisions without gaps', () => {
    const numbers = tracked
      .flatMap((path) => /^docs\/decisions\/(\d{4})-/.exec(path)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  })
})
