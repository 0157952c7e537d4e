import { readFileSync } from 'node:fs'
import { ProtocolError } from '../../src/errors.ts'
import * as protocol from '../../src/protocol/index.ts'
import type { Api } from '../../src/protocol/index.ts'
import type { Fields } from '../../src/protocol/wire/field.ts'
import { arbitraryMessage, seededDraw } from '../../src/protocol/wire/fixture/arbitrary-message.ts'
import type { Sample, Target } from './target.ts'

const { Message, Reader, apiByKey, apis, finishRequestHeader, readRequestHeader } = protocol
type AnyMessage = protocol.Message<Fields>

/** How many arbitrary values of a message in one version are the start of changed ones. */
const samplesPerVersion = 3

/** Every request and response, in every version. */
export function messageTarget(): Target {
  const messages = apis.flatMap((api): AnyMessage[] => [api.request, api.response])
  return { name: 'requests and responses', share: 50, samples: messages.flatMap(samplesOf) }
}

/** What is kept inside other bytes: records of coordinators, subscriptions, assignments. */
export function storedMessageTarget(): Target {
  const stored = Object.values(protocol).filter((value) => value instanceof Message)
  return { name: 'stored messages', share: 6, samples: stored.flatMap(samplesOf) }
}

function samplesOf(message: AnyMessage): Sample[] {
  const samples: Sample[] = []
  for (let { first: version } = message.versions; version <= message.versions.last; version++) {
    for (let seed = 0; seed < samplesPerVersion; seed++) {
      const value = arbitraryMessage(message, version, seededDraw(seed))
      const bytes = message.encode(value, version)
      const read = (input: Buffer) => readMessage(message, version, input)
      samples.push({ label: `${message.name} v${version}`, bytes, read })
    }
  }
  return samples
}

/** What was read can be written again: nothing is answered that is not a value of the message. */
function readMessage(message: AnyMessage, version: number, input: Buffer): 'accepted' {
  const value = message.decode(input, version)
  message.encode(value, version)
  return 'accepted'
}

/** Whole requests as a broker reads them, header first. */
export function requestTarget(): Target {
  const samples = goldenFrames()
    .filter(({ direction }) => direction === 'request')
    .map(({ key, version, content }) => ({
      label: `request of API ${key} v${version}`,
      bytes: Buffer.from(content, 'base64'),
      read: readRequest,
    }))
  return { name: 'request frames of Apache Kafka', share: 10, samples }
}

function readRequest(input: Buffer): 'accepted' {
  const reader = new Reader(input)
  const { key, version } = readRequestHeader(reader)
  const api: Api | undefined = apiByKey(key)
  if (api === undefined) throw new ProtocolError(`no API has key ${key}`)
  finishRequestHeader(reader, api, version)
  api.request.read(reader, version)
  return 'accepted'
}

interface GoldenFrame {
  readonly key: number
  readonly version: number
  readonly direction: 'request' | 'response'
  readonly content: string
}

function goldenFrames(): GoldenFrame[] {
  const lines = readFileSync(new URL('../golden/frames.jsonl', import.meta.url), 'utf8')
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as GoldenFrame)
}
