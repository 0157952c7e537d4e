import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Runs a program of cases and calls `line` with each line it prints; it ends with this process. */
export async function runProgram(
  command: string,
  programArguments: readonly string[],
  line: (text: string) => void,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(command, programArguments, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  })
  const stop = (): void => void child.kill('SIGKILL')
  process.once('exit', stop)
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  let failures = 0
  for await (const text of createInterface({ input: child.stdout })) {
    if (text.startsWith('FAIL')) failures += 1
    line(text)
  }
  const [code, signal] = await exited
  process.removeListener('exit', stop)
  if (code !== 0 && failures === 0)
    throw new Error(`${command} ended with ${code ?? signal ?? '?'}`)
}
