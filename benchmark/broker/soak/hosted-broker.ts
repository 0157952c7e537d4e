import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { BrokerOptions } from '../../../src/broker/index.ts'
import type { Sample } from './judge.ts'

/** A broker in a process of its own that can be asked what it holds. */
export class HostedBroker implements AsyncDisposable {
  readonly bootstrap: string
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, bootstrap: string) {
    this.#child = child
    this.bootstrap = bootstrap
  }

  static async start(built: string, options: BrokerOptions): Promise<HostedBroker> {
    const program = fileURLToPath(new URL('host.ts', import.meta.url))
    const child = fork(program, [built, JSON.stringify(options)], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      // What is pressed in the terminal is for who holds the brokers.
      detached: true,
    })
    const { bootstrap } = (await answerOf(child)) as { bootstrap: string }
    return new HostedBroker(child, bootstrap)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async sample(): Promise<Sample> {
    const answer = answerOf(this.#child)
    this.#child.send('sample')
    return (await answer) as Sample
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.send('end')
    await ended
  }
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController()
  try {
    return await Promise.race([
      once(child, 'message', ended).then(([message]) => message as unknown),
      once(child, 'exit', ended).then(() => {
        throw new Error('the broker has ended')
      }),
    ])
  } finally {
    ended.abort()
  }
}
