/** The code of guides, run as their readers would run it. */
import { readFileSync } from 'node:fs'
import { transform } from 'esbuild'
import * as contract from '../src/contract/index.ts'
import * as runtime from '../src/runtime/index.ts'

/** The text of a guide. */
export function guideText(name: string): string {
  return readFileSync(new URL(`../docs/guides/${name}.md`, import.meta.url), 'utf8')
}

/** The first block of a language in a guide. */
export function blockIn(guide: string, language: string): string {
  return new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(guide)?.[1] ?? ''
}

/** Runs the first block of code of a guide, which makes `service`; answers that, and what is printed. */
export async function runGuide(
  guide: string,
  brokers: string,
  others: Readonly<Record<string, object>> = {},
): Promise<{ readonly service: runtime.Service; readonly printed: readonly string[] }> {
  const script = blockIn(guide, 'ts').replace(
    /^import (\{.*?\}) from '(.*?)'$/gms,
    "const $1 = modules['$2']",
  )
  const { code } = await transform(`(async () => {${script}; return service })()`, { loader: 'ts' })
  const createService = (options: runtime.ServiceOptions) =>
    runtime.createService({ ...options, metrics: false, log: () => undefined })
  const modules = { 'millrace/contract': contract, millrace: { createService }, ...others }
  const printed: string[] = []
  const console = { log: (line: string) => void printed.push(line) }
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call
  const running = new Function('modules', 'console', 'kafka', `return ${code}`)(modules, console, {
    brokers,
  }) as Promise<runtime.Service>
  return { service: await running, printed }
}
