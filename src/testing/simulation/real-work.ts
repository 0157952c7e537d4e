import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import type { AsyncHook } from 'node:async_hooks'
import type { SimulatedProcess } from './process.ts'

/** What a process has begun in the real world and waits for. */
interface Begun {
  readonly process: SimulatedProcess
  readonly type: string
  readonly resource: object
  readonly kind: 'once' | 'source'
}

interface RealTimer {
  hasRef?(): boolean
  readonly _repeat?: number | null
}

/** What comes to its end by itself, once: while it is open, somebody waits. By Node's names. */
const once: ReadonlySet<string> = new Set([
  'Timeout',
  'Immediate',
  'FSREQCALLBACK',
  'FSREQPROMISE',
  'GETADDRINFOREQWRAP',
  'GETNAMEINFOREQWRAP',
  'QUERYWRAP',
  'TCPCONNECTWRAP',
  'PIPECONNECTWRAP',
  'PBKDF2REQUEST',
  'SCRYPTREQUEST',
  'RANDOMBYTESREQUEST',
  'SIGNREQUEST',
  'HASHREQUEST',
  'DERIVEBITSREQUEST',
  'CIPHERREQUEST',
  'KEYPAIRGENREQUEST',
])

/** What may stay open for good, such as a connection of a pool: waited for only while a process is at work. */
const sources: ReadonlySet<string> = new Set([
  'TCPWRAP',
  'PIPEWRAP',
  'TLSWRAP',
  'UDPWRAP',
  'HTTP2SESSION',
  'PROCESSWRAP',
  'WORKER',
])

/**
 * Knows what simulated processes have under way in the real world: timers of Node, files, sockets. Virtual time must not
 * run on meanwhile. Whose it is follows the asynchronous context: all that a process begins, and what comes of that.
 *
 * The timers of a process that has come to its end are cancelled. What else it had under way comes to its end, and the
 * code that waited for it goes on: a thread cannot end a promise.
 */
export class RealWork {
  readonly #context = new AsyncLocalStorage<SimulatedProcess>()
  readonly #open = new Map<number, Begun>()
  readonly #hook: AsyncHook
  /** Whether a process is at something that it may wait for a connection with. */
  readonly #isAtWork: (process: SimulatedProcess) => boolean

  constructor(isAtWork: (process: SimulatedProcess) => boolean) {
    this.#isAtWork = isAtWork
    this.#hook = createHook({
      init: (id, type, _trigger, resource) => this.#began(id, type, resource),
      after: (id) => this.#ran(id),
      destroy: (id) => this.#open.delete(id),
    })
  }

  /** From now on what processes begin is seen. */
  watch(): void {
    this.#hook.enable()
  }

  stopWatching(): void {
    this.#hook.disable()
    this.#open.clear()
  }

  /** Runs something as a part of a process. */
  within(process: SimulatedProcess, action: () => void): void {
    this.#context.run(process, action)
  }

  /** Whose code runs now, also where it was called by the real world. */
  get owner(): SimulatedProcess | undefined {
    return this.#context.getStore()
  }

  /** Whether somebody waits for the real world. */
  get isUnderWay(): boolean {
    if (this.#open.size === 0) return false
    for (const begun of this.#open.values()) if (this.#counts(begun)) return true
    return false
  }

  /** What is waited for, for people: `2 × Timeout of fulfilment-1`. */
  describe(): string[] {
    const counts = new Map<string, number>()
    for (const begun of this.#open.values()) {
      if (!this.#counts(begun)) continue
      const what = `${begun.type} of ${begun.process.name}`
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
    return [...counts].map(([what, count]) => `${count} × ${what}`)
  }

  /** The process is no more: its timers stop, and nobody waits for the rest. */
  abandon(process: SimulatedProcess): void {
    for (const [id, begun] of this.#open) {
      if (begun.process !== process) continue
      this.#open.delete(id)
      cancel(begun)
    }
  }

  #began(id: number, type: string, resource: object): void {
    const isOnce = once.has(type)
    if (!isOnce && !sources.has(type)) return
    const process = this.#context.getStore()
    if (process === undefined) return
    const begun: Begun = { process, type, resource, kind: isOnce ? 'once' : 'source' }
    // What a process that is no more begins must not have an effect later. It is made only after this call.
    if (process.isOver) queueMicrotask(() => cancel(begun))
    else this.#open.set(id, begun)
  }

  /** What happens once has happened. An interval goes on. */
  #ran(id: number): void {
    const begun = this.#open.get(id)
    if (begun?.kind === 'once' && !isInterval(begun)) this.#open.delete(id)
  }

  #counts(begun: Begun): boolean {
    const { process, type, resource, kind } = begun
    if (kind === 'source' || isInterval(begun)) return this.#isAtWork(process)
    if (type === 'Timeout') return (resource as RealTimer).hasRef?.() !== false
    // What was computed at once, such as pbkdf2Sync, has nobody to tell.
    if (type.endsWith('REQUEST')) return 'ondone' in resource
    return true
  }
}

function isInterval({ type, resource }: Begun): boolean {
  return type === 'Timeout' && typeof (resource as RealTimer)._repeat === 'number'
}

function cancel({ type, resource }: Begun): void {
  if (type === 'Timeout') clearTimeout(resource as NodeJS.Timeout)
  else if (type === 'Immediate') clearImmediate(resource as NodeJS.Immediate)
}
