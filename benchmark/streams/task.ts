/** What a program is asked to do, in a process of its own. */
export type Task = TransformTask | JoinTask | OpenTask | RestoreTask | WatchTask

interface Reading {
  /** Of this group, from the beginning of its topics. */
  readonly group: string
  /** Of each input. */
  readonly records: number
}

/** Reads events, checks and changes them, and writes them on; commits every 100 ms. */
export interface TransformTask extends Reading {
  readonly kind: 'transform'
  readonly input: string
  readonly output: string
  /** Whether what is written and how far was read are one transaction. */
  readonly guarantee: 'exactly-once' | 'at-least-once'
  /** The handler waits so long first, many at once. */
  readonly handlerMs?: number
}

interface JoinReading extends Reading {
  readonly orders: string
  readonly payments: string
  readonly output: string
  /** Where its state is. */
  readonly folder: string
}

/** Joins orders and payments within 24 hours. */
export interface JoinTask extends JoinReading {
  readonly kind: 'join'
}

/** Takes orders that no payment comes for. */
export interface OpenTask extends JoinReading {
  readonly kind: 'open'
}

/** A join that has lost its local state makes it anew. `records` is how many changes its changelog has. */
export interface RestoreTask extends JoinReading {
  readonly kind: 'restore'
}

/** A join that runs until it is killed. It says `running` whenever it has come to that. */
export interface WatchTask extends JoinReading {
  readonly kind: 'watch'
  /** The name of a static member. */
  readonly member: string
  readonly sessionTimeoutMs: number
}

export interface Order {
  readonly subject: string
  readonly bootstrap: string
  readonly task: Task
  /** Where the peers are installed. */
  readonly peers: string
}

/** What a run has cost: of all its records, and of the second half, when everything is warm. */
export interface StreamMeasurement {
  readonly rate: number
  readonly cpuSecondsPerMillion: number
  readonly steadyRate: number
  readonly steadyCpuSecondsPerMillion: number
  readonly peakMb: number
  /** Without pages of files, as they were seen from outside. */
  readonly ownPeakMb?: number
  /** Of the local state. */
  readonly diskMb?: number
  /** From the start of the program to where it runs. */
  readonly startMs?: number
}

/** A program under measurement. */
export type Subject = Partial<{
  readonly [Kind in Task['kind']]: (
    task: Extract<Task, { kind: Kind }>,
    context: SubjectContext,
  ) => Promise<StreamMeasurement | undefined>
}>

export interface SubjectContext {
  readonly bootstrap: string
  readonly clock: HalfwayClock
}

/** Told of each record that was worked; measures when it is told that all of them are committed. */
export interface HalfwayClock {
  worked(): void
  /** Resolves when as many were worked as there are. */
  readonly allWorked: Promise<void>
  measurement(): StreamMeasurement
}

export const partitionCount = 12
/** How often peers and ours commit. */
export const commitMs = 100
/** How far apart an order and its payment may be. */
export const windowHours = 24
