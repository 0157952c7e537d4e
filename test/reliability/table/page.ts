/** `docs/reliability.md`: every promise, the tests that hold it, what long runs counted, and the commands. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { chaosSection } from '../chaos/table.ts'
import { readFigures } from './figures.ts'
import type { RecordedFigures } from './figures.ts'
import { promises } from './promises.ts'

/** What the header of a test says. */
export interface TestHeader {
  readonly path: string
  readonly promise: string
  /** The numbers of the project's promises that it is about. */
  readonly proves: readonly number[]
  readonly command: string
  /** Which figures of long runs belong to it. */
  readonly figures: readonly string[]
}

export const pagePath = fileURLToPath(new URL('../../../docs/reliability.md', import.meta.url))
const root = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * The header of a test: `Promise: …`, and behind it, each on a line of its own, `Proves: 1, 2`, `Command: …` and
 * `Figures: …` as far as they are needed. Undefined where there is none.
 */
export function headerIn(path: string, text: string): TestHeader | undefined {
  const comments = [...text.matchAll(/^\/\*\*([^]*?)\*\//gm)].map(([, body = '']) => body)
  const comment = comments.find((body) => /^[\s*]*Promise:/.test(body))
  if (comment === undefined) return undefined
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trim())
  const told = (name: string) => {
    const line = lines.find((each) => each.startsWith(`${name}: `))
    return line?.slice(name.length + 2)
  }
  const end = lines.findIndex((line) => /^(?:Proves|Command|Figures): /.test(line))
  const sentence = lines.slice(0, end < 0 ? undefined : end).join(' ')
  const list = (name: string) => told(name)?.split(', ') ?? []
  return {
    path,
    promise: sentence.replace(/^\s*Promise:/, '').trim(),
    proves: list('Proves').map(Number),
    command: told('Command') ?? commandOf(path),
    figures: list('Figures'),
  }
}

/** How a test is run where its header does not say it. */
function commandOf(path: string): string {
  const [, conformance] = /^test\/(conformance\/[\w-]+)\.test\.ts$/.exec(path) ?? []
  if (conformance !== undefined) return `npm run test:kafka -- ${conformance}`
  const [, kafka] = /^test\/(kafka\/[\w-]+)\.test\.ts$/.exec(path) ?? []
  if (kafka !== undefined) return `npm run test:kafka -- --implementation kafka-4.1 ${kafka}`
  return `npm test -- ${path}`
}

/** The headers of all tests that have one, by path. */
export function readHeaders(): TestHeader[] {
  const listing = ['ls-files', '--cached', '--others', '--exclude-standard', '*.test.ts']
  const paths = execFileSync('git', listing, { cwd: root, encoding: 'utf8' }).trim().split('\n')
  return [...new Set(paths)].sort().flatMap((path) => {
    const header = headerIn(path, readFileSync(`${root}${path}`, 'utf8'))
    return header === undefined ? [] : [header]
  })
}

interface Exhibit {
  readonly name: string
  readonly caughtBy: string
}

/** The defects that are put in on purpose; their folder is named here alone, and only its list is read. */
async function readExhibits(): Promise<readonly Exhibit[]> {
  const path = [root.replace(/\/$/, ''), 'test', 'museum', 'defects.ts'].join('/')
  const { defects } = (await import(pathToFileURL(path).href)) as { defects: readonly Exhibit[] }
  return defects
}

/** The page as it has to be now. */
export async function renderPage(): Promise<string> {
  const headers = readHeaders()
  const exhibits = await readExhibits()
  const figures = readFigures()
  const others = headers.filter(({ proves }) => proves.length === 0)
  const sections = [
    introduction(headers.length, exhibits.length),
    ...promises.map((promise, index) => {
      const number = index + 1
      const held = headers.filter(({ proves }) => proves.includes(number))
      const title = `## ${number}. ${promise.name}\n\n${promise.text}\n`
      const rows =
        held.length === 0 ? 'No test names it yet: it is not built.' : tableOf(held, figures)
      return `${title}\n${rows}`
    }),
    `## What they stand on\n\n${tableOf(others, figures)}`,
    `## Long runs\n\n${runsTable(figures)}`,
    chaosSection(),
    `## Defects put in on purpose\n\n${exhibitsTable(exhibits)}`,
  ]
  const config = await resolveConfig(pagePath)
  return await format(`${sections.join('\n\n')}\n`, { ...config, parser: 'markdown' })
}

/** Writes the page. */
export async function writePage(): Promise<void> {
  writeFileSync(pagePath, await renderPage())
}

function introduction(tests: number, exhibits: number): string {
  return `# Reliability

What is promised, which test holds it, what long runs have counted, and the command that shows it.
This page is written by \`npm run reliability-table\` from the headers of ${tests} test files, the figures that long runs write
down (\`--record\`), and the ${exhibits} defects of \`test/museum\`; a test fails when it is not what the command would write.`
}

function tableOf(
  headers: readonly TestHeader[],
  figures: Readonly<Record<string, RecordedFigures>>,
): string {
  const rows = headers.map(({ promise, path, command, figures: kinds }) => {
    const shown = kinds.flatMap((kind) => {
      const recorded = figures[kind]
      return recorded === undefined ? [] : [figuresIn(recorded)]
    })
    return row([promise, `\`${path}\``, shown.join('; '), `\`${command}\``])
  })
  return [row(['promise', 'test', 'figure', 'command']), '|---|---|---|---|', ...rows].join('\n')
}

function runsTable(figures: Readonly<Record<string, RecordedFigures>>): string {
  const rows = Object.values(figures).map((recorded) => {
    return row([`\`${recorded.command}\``, recorded.commit, figuresIn(recorded)])
  })
  return [row(['command', 'commit', 'figures']), '|---|---|---|', ...rows].join('\n')
}

function exhibitsTable(exhibits: readonly Exhibit[]): string {
  const rows = exhibits.map(({ name, caughtBy }) => row([name, `\`${caughtBy}\``]))
  const command = 'All of them: `npm run test:museum`; their stories are in its files.'
  return [command, '', row(['defect', 'caught by']), '|---|---|', ...rows].join('\n')
}

function figuresIn({ figures }: RecordedFigures): string {
  return Object.entries(figures)
    .map(([what, count]) => `${count.toLocaleString('en')} ${what}`)
    .join(', ')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
