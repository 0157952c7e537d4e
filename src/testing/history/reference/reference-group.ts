import type { ReferenceLog } from './reference-log.ts'
import type { Actor, ReferenceWorld } from './reference-world.ts'
import type { PolledRecord } from '../operation.ts'
import type { RunningOperation } from '../record.ts'

/** A group's memory: who owns what, and what is committed. */
export class ReferenceGroup {
  readonly name: string
  readonly owners = new Map<ReferenceLog, string>()
  readonly committed = new Map<ReferenceLog, number>()

  constructor(name: string) {
    this.name = name
  }
}

interface Work {
  readonly record: PolledRecord
  readonly key: string | null
  running:
    | RunningOperation<[result?: { readonly ended: 'done' | 'skipped' | 'dead-lettered' }]>
    | undefined
}

/** One topic-partition that a member owns. */
interface Share {
  readonly log: ReferenceLog
  position: number
  /** What was read and has not ended, in the order of offsets. */
  work: Work[]
}

const failure = new Error('the handler failed')

/** A member of a group: reads, handles each key in order, commits what has ended without a gap. */
export class ReferenceMember {
  readonly #world: ReferenceWorld
  readonly #group: ReferenceGroup
  readonly #process: string
  #shares: Share[] = []

  constructor(world: ReferenceWorld, group: ReferenceGroup, process: string) {
    this.#world = world
    this.#group = group
    this.#process = process
  }

  *run(): Actor {
    const world = this.#world
    const topics = [...new Set(world.logs.map((log) => log.at.topic))]
    world.history.note({ process: this.#process, kind: 'subscribe', topics })
    while (!world.stopping) {
      const choice = world.integer(40)
      if (choice < 10) yield* this.#poll()
      else if (choice < 30) this.#handle()
      else if (choice < 35) yield* this.#commit(this.#anyShare())
      else if (choice < 37) this.#acquire()
      else if (choice < 39) yield* this.#release(this.#anyShare())
      else if (world.chance(0.3)) yield* this.#crash(topics)
      yield
    }
    for (const share of [...this.#shares]) yield* this.#release(share)
  }

  #anyShare(): Share | undefined {
    return this.#shares.length === 0 ? undefined : this.#world.pick(this.#shares)
  }

  *#poll(): Actor {
    const { history } = this.#world
    const group = this.#group.name
    const operation = history.begin({ process: this.#process, kind: 'poll', group })
    const records = this.#shares.flatMap((share) => {
      const { records: found, next } = share.log.read(share.position, 3)
      share.position = next
      share.work.push(
        ...found.map((record) => ({ record, key: keyOf(record), running: undefined })),
      )
      return found
    })
    yield
    operation.ok({ records })
  }

  /** Starts or ends one handler. */
  #handle(): void {
    const share = this.#anyShare()
    if (share === undefined) return
    const isLaxToday = this.#world.shows('starts a key out of order')
    const ready = share.work.filter((work, place) => {
      const isFirstOfKey = !share.work.slice(0, place).some((other) => other.key === work.key)
      return work.key === null || isFirstOfKey || isLaxToday
    })
    if (ready.length === 0) return
    const work = this.#world.pick(ready)
    if (work.running === undefined) this.#startHandler(share, work)
    else this.#endHandler(share, work)
  }

  #startHandler(share: Share, work: Work): void {
    work.running = this.#world.history.begin({
      process: this.#process,
      kind: 'handler',
      group: this.#group.name,
      ...share.log.at,
      offset: work.record.offset,
      key: work.key,
    })
  }

  #endHandler(share: Share, work: Work): void {
    const fate = this.#world.integer(10)
    if (fate === 0) {
      work.running?.failed(failure)
      work.running = undefined
      return
    }
    if (fate === 1) work.running?.ok({ ended: 'dead-lettered' })
    else work.running?.ok()
    share.work = share.work.filter((other) => other !== work)
  }

  *#commit(share: Share | undefined): Actor {
    const world = this.#world
    if (share === undefined) return
    let offset = share.work[0]?.record.offset ?? share.position
    if (world.shows('commits what was polled')) offset = share.position
    if (world.shows('commits backwards')) offset = Math.max(0, offset - 2)
    const operation = world.history.begin({
      process: this.#process,
      kind: 'commit',
      group: this.#group.name,
      offsets: [{ ...share.log.at, offset }],
    })
    yield
    const fate = world.integer(10)
    if (fate === 0) {
      operation.failed(failure)
      return
    }
    if (fate !== 1 || world.chance(0.5)) this.#group.committed.set(share.log, offset)
    yield
    if (fate === 1) operation.unknown(failure)
    else operation.ok()
  }

  #acquire(): void {
    const { owners, committed } = this.#group
    const free = this.#world.logs.filter((log) => !owners.has(log))
    if (free.length === 0) return
    const log = this.#world.pick(free)
    owners.set(log, this.#process)
    this.#shares.push({ log, position: committed.get(log) ?? 0, work: [] })
    this.#noteRebalance([log])
  }

  /** Waits for what runs, commits, and only then gives the topic-partition up. */
  *#release(share: Share | undefined): Actor {
    if (share === undefined) return
    const isHasty = this.#world.shows('releases while a handler runs', 0.5)
    while (!isHasty && share.work.some((work) => work.running !== undefined)) {
      for (const work of share.work) if (work.running !== undefined) this.#endHandler(share, work)
      yield
    }
    yield* this.#commit(share)
    this.#shares = this.#shares.filter((other) => other !== share)
    this.#group.owners.delete(share.log)
    this.#noteRebalance([share.log])
    yield
    for (let turns = isHasty ? 60 : 0; turns > 0; turns -= 1) yield
    for (const work of share.work) work.running?.ok()
  }

  *#crash(topics: readonly string[]): Actor {
    const { history } = this.#world
    const kill = history.begin({ process: this.#process, kind: 'crash' })
    for (const { log } of this.#shares) this.#group.owners.delete(log)
    this.#shares = []
    yield
    kill.ok()
    yield
    history.note({ process: this.#process, kind: 'subscribe', topics })
  }

  #noteRebalance(logs: readonly ReferenceLog[]): void {
    const partitions = logs.map((log) => log.at)
    this.#world.history.note({ process: this.#process, kind: 'rebalance', partitions })
  }
}

/** Three keys for each topic-partition, and records without one. */
function keyOf({ value }: PolledRecord): string | null {
  const number = Number(String(value).slice(1)) % 4
  return number === 3 ? null : `k${number}`
}
