import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url))

/** A broker in a process of its own. */
export interface BrokerProcess extends AsyncDisposable {
  readonly pid: number
  readonly port: number
  /** From starting the process to its line that it listens. */
  readonly startMs: number
}

export async function startBrokerProcess(...options: string[]): Promise<BrokerProcess> {
  const started = performance.now()
  const child = spawn(process.execPath, [launcher, 'broker', '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await listeningPort(child)
  const startMs = performance.now() - started
  return {
    pid: child.pid ?? 0,
    port,
    startMs,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function listeningPort(child: ChildProcess): Promise<number> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    const match = /listening on [^:]+:(\d+)/.exec(text)
    if (match !== null) return Number(match[1])
  }
  throw new Error(`the broker ended before it listened: ${text}`)
}

/** Resident memory of a process (Linux). */
export function residentBytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? Number.NaN) * 1024
}
