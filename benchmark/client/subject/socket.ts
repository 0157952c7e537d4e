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
import { makeValue } from '../task.ts'
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
      const requests = await makeRequests(line, topic, warmUps + records, valueBytes)
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
      for (const answer of answers) checkAnswer(answer)
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
  const { topicId, partitions } = topics[0] ?? { partitions: [] }
  if (topicId === undefined) throw new Error(`there is no topic ${topic}`)
  const transaction = { transactionalId: null, transactionTimeoutMs: 0 }
  const identity = await line.request(initProducerIdApi, 4, transaction)
  const { producerId, producerEpoch } = identity
  const value = makeValue(valueBytes)
  return Array.from({ length: count }, (_, number) => {
    const builder = new RecordBatchBuilder()
    builder.append({ key: `key-${number}`, value, timestamp: Date.now() })
    const baseSequence = Math.floor(number / partitions.length)
    const batch = builder.build({ producerId, producerEpoch, baseSequence })
    const index = number % partitions.length
    const topicData = [{ topicId, partitionData: [{ index, records: batch }] }]
    const header = { version: produceVersion, correlationId: number, clientId }
    return Buffer.concat(
      encodeRequest(produceApi, header, { acks: -1, timeoutMs: 24_000, topicData }),
    )
  })
}

/** A refusal would be answered faster than a write. */
function checkAnswer(answer: Buffer): void {
  const { responses } = read(produceApi, produceVersion, answer)
  const errorCode = responses[0]?.partitionResponses[0]?.errorCode
  if (errorCode !== 0) throw new Error(`a write was answered with error ${errorCode}`)
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

  request<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    return new Promise((resolve) => {
      this.#answered = (frame) => resolve(read(api, version, frame))
      const chunks = encodeRequest(api, { version, correlationId: 0, clientId }, body)
      this.#socket.write(Buffer.concat(chunks))
    })
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
