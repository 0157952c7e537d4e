import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import {
  apiVersionsApi,
  encodeRequest,
  FrameReader,
  initProducerIdApi,
  metadataApi,
  produceApi,
  Reader,
  readResponseHeader,
} from '../../../src/protocol/index.ts'
import type { Api, RequestInput, ResponseOf } from '../../../src/protocol/index.ts'
import { RecordBatchBuilder } from '../../../src/protocol/records/index.ts'
import { makeValue, partitionCount } from '../task.ts'
import type { Subject } from '../task.ts'

const clientId = 'bench'
const produceVersion = 13

/**
 * No client at all, but the floor of each of them: requests that were made beforehand are written to a bare socket,
 * the next one as soon as an answer has come. What is left is Node's socket, the system and the broker.
 */
export function subject(): Subject {
  return {
    async latency({ topic, warmUps, records, valueBytes }, { bootstrap, stopwatch }) {
      const [host = '', port = ''] = bootstrap.split(',')[0]?.split(':') ?? []
      const socket = connect({ host, port: Number(port), noDelay: true })
      await once(socket, 'connect')
      const line = new Line(socket)
      const requests = await makeRequests(
        line,
        topic,
        partitionCount + warmUps + records,
        valueBytes,
      )
      // The leader of a partition that was just made may not know yet that it is.
      for (const first of requests.splice(0, partitionCount)) {
        while (errorCodeOf(await line.exchange(first)) !== 0);
      }
      const answers: Buffer[] = []
      let startedMs = 0
      await line.playPingPong(requests, (answer) => {
        const nowMs = performance.now()
        if (answer !== undefined) answers.push(answer)
        if (answers.length > warmUps) stopwatch.latency(nowMs - startedMs)
        if (answers.length === warmUps) stopwatch.start()
        startedMs = performance.now()
      })
      stopwatch.stop(records)
      // A refusal would be answered faster than a write.
      const refused = answers.map(errorCodeOf).find((errorCode) => errorCode !== 0)
      if (refused !== undefined) throw new Error(`a write was answered with error ${refused}`)
    },
  }
}

async function makeRequests(
  line: Line,
  topic: string,
  count: number,
  valueBytes: number,
): Promise<Buffer[]> {
  const software = { clientSoftwareName: clientId, clientSoftwareVersion: '1' }
  await line.request(apiVersionsApi, 3, software)
  const { topics } = await line.request(metadataApi, 12, { topics: [{ name: topic }] })
  const { topicId } = topics[0] ?? {}
  if (topicId === undefined) throw new Error(`there is no topic ${topic}`)
  const transaction = { transactionalId: null, transactionTimeoutMs: 0 }
  const identity = await line.request(initProducerIdApi, 4, transaction)
  const { producerId, producerEpoch } = identity
  const value = makeValue(valueBytes)
  return Array.from({ length: count }, (_, number) => {
    const builder = new RecordBatchBuilder()
    builder.append({ key: `key-${number}`, value, timestamp: Date.now() })
    const baseSequence = Math.floor(number / partitionCount)
    const batch = builder.build({ producerId, producerEpoch, baseSequence })
    const index = number % partitionCount
    const topicData = [{ topicId, partitionData: [{ index, records: batch }] }]
    const header = { version: produceVersion, correlationId: number, clientId }
    return Buffer.concat(
      encodeRequest(produceApi, header, { acks: -1, timeoutMs: 24_000, topicData }),
    )
  })
}

function errorCodeOf(answer: Buffer): number | undefined {
  const { responses } = read(produceApi, produceVersion, answer)
  return responses[0]?.partitionResponses[0]?.errorCode
}

function read<A extends Api>(api: A, version: number, frame: Buffer): ResponseOf<A> {
  const reader = new Reader(frame)
  readResponseHeader(reader, api, version)
  return api.response.read(reader, version) as ResponseOf<A>
}

/** Requests over a socket, one at a time. */
class Line {
  readonly #socket: Socket
  #answered: (frame: Buffer) => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    const frames = new FrameReader(1024 * 1024)
    socket.on('data', (chunk) => frames.push(chunk, (frame) => this.#answered(frame)))
  }

  exchange(request: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#answered = resolve
      this.#socket.write(request)
    })
  }

  async request<A extends Api>(
    api: A,
    version: number,
    body: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    const chunks = encodeRequest(api, { version, correlationId: 0, clientId }, body)
    return read(api, version, await this.exchange(Buffer.concat(chunks)))
  }

  /** Writes each request once the one before is answered; `next` gets the answer before the next is written. */
  playPingPong(
    requests: readonly Buffer[],
    next: (answer: Buffer | undefined) => void,
  ): Promise<void> {
    return new Promise((resolve) => {
      let written = 0
      const play = (answer?: Buffer) => {
        next(answer)
        const request = requests[written++]
        if (request === undefined) resolve()
        else this.#socket.write(request)
      }
      this.#answered = play
      play()
    })
  }
}
