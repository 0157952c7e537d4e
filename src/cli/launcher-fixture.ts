import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))

/** How a process has ended, and all that it said. */
interface Ending {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** The command as a user starts it. */
export interface Launched extends AsyncDisposable {
  kill(signal: NodeJS.Signals): void
  /** Resolves with the match once the output has it; rejects when the process ends without it. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  ended(): Promise<Ending>
}

/** Starts `millrace` with these words. `preload` is code that runs before anything else of it. */
export function launch(words: readonly string[], preload = ''): Launched {
  const before = `data:text/javascript,${encodeURIComponent(preload)}`
  const child = spawn(process.execPath, ['--import', before, launcher, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  const ended = async (): Promise<Ending> => {
    await closed
    return { code: child.exitCode, output, errors }
  }
  return {
    kill: (signal) => child.kill(signal),
    ended,
    async said(pattern) {
      for (;;) {
        const match = pattern.exec(output)
        if (match !== null) return match
        const more = once(child.stdout, 'data')
        if ((await Promise.race([more, closed.then(() => 'closed')])) !== 'closed') continue
        throw new Error(`the process ended before it said ${String(pattern)}: ${output}${errors}`)
      }
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
