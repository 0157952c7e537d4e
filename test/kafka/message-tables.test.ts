/**
 * Promise: our tables say of every message what Apache's own definitions say, which its client jar
 * carries: fields, types, versions, nullability, tags and defaults.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { apis } from '../../src/protocol/index.ts'
import type { Fields } from '../../src/protocol/wire/field.ts'
import { kafkaClassPath } from './kafka-jars.ts'
import { zipEntries } from './zip-entries.ts'

interface ApacheField {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly nullableVersions?: string
  readonly tag?: number
  readonly taggedVersions?: string
  readonly default?: string | number | boolean | null
  readonly fields?: readonly ApacheField[]
}

interface ApacheMessage {
  readonly apiKey: number
  readonly type: string
  readonly validVersions: string
  readonly flexibleVersions: string
  readonly fields: readonly ApacheField[]
  readonly commonStructs?: readonly {
    readonly name: string
    readonly fields: readonly ApacheField[]
  }[]
}

/** A field in words, so that a difference reads as one line. */
type Described = Record<string, string>

/**
 * Left out on purpose: what only brokers send one another (`HighWatermark` in Fetch, which cannot be
 * held in a number) and what came after the versions that we have.
 */
const leftOut = new Set(['FetchRequest.topics.partitions.highWatermark'])

const version = '4.1.1'
const definitions = new Map<string, ApacheMessage>()

beforeAll(async () => {
  const folder = dirname(await kafkaClassPath(version))
  const jar = readFileSync(join(folder, `kafka-clients-${version}.jar`))
  for (const { content } of zipEntries(jar, /^common\/message\/.*(?:Request|Response)\.json$/)) {
    const text = content
      .toString()
      .replaceAll(/^\s*\/\/.*$/gm, '')
      .replaceAll(/(?<=[,{\]}])\s*\/\/.*$/gm, '')
    const message = JSON.parse(text) as ApacheMessage
    definitions.set(`${message.apiKey} ${message.type}`, message)
  }
})

const camel = (name: string) =>
  name === name.toUpperCase() ? name.toLowerCase() : name.slice(0, 1).toLowerCase() + name.slice(1)

function defaultText(value: unknown, type: string): string {
  if (value === undefined || value === '') return type.includes('string') ? "''" : 'none'
  if (value === null || value === 'null' || value === 'None') return 'null'
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).toLowerCase()
  return text.startsWith('0x') ? String(Number(text)) : text
}

/** What is not said is the default of the type: 0 and false need not be written. */
function normalDefault(text: string): string {
  return ['none', '0', 'false', "''"].includes(text) ? 'none' : text
}

function describeApache(
  fields: readonly ApacheField[],
  message: ApacheMessage,
  path: string,
  lastVersion: number,
): Described {
  const described: Described = {}
  for (const field of fields) {
    const fieldPath = `${path}.${camel(field.name)}`
    const versions = field.versions ?? field.taggedVersions ?? ''
    if (leftOut.has(fieldPath) || Number.parseInt(versions) > lastVersion) continue
    const element = field.type.replace('[]', '')
    const isArray = field.type.startsWith('[]')
    const inner =
      field.fields ?? message.commonStructs?.find((common) => common.name === element)?.fields
    const nullable = field.nullableVersions === 'none' ? '' : (field.nullableVersions ?? '')
    const tag = field.tag === undefined ? '' : `${field.tag} in ${field.taggedVersions ?? ''}`
    described[fieldPath] = [
      `${isArray ? 'array of ' : ''}${inner === undefined ? element : 'struct'}`,
      versions,
      `nullable ${nullable}`,
      `tag ${tag}`,
      `default ${normalDefault(defaultText(field.default, field.type))}`,
    ].join(', ')
    if (inner !== undefined) {
      Object.assign(described, describeApache(inner, message, fieldPath, lastVersion))
    }
  }
  return described
}

function describeOurs(fields: Fields, path: string): Described {
  const described: Described = {}
  for (const [name, field] of Object.entries(fields)) {
    const fieldPath = `${path}.${name}`
    const { nullable = '', default: byDefault, tag } = field.options
    const element = field.type.kind === 'array' ? field.type.element : field.type
    const inner = element.kind === 'struct' ? element.fields : undefined
    described[fieldPath] = [
      `${field.type.kind === 'array' ? 'array of ' : ''}${element.kind}`,
      field.versions,
      `nullable ${nullable}`,
      `tag ${tag === undefined ? '' : `${tag[0]} in ${tag[1]}`}`,
      `default ${normalDefault(defaultText(byDefault, field.type.kind))}`,
    ].join(', ')
    if (inner !== undefined) Object.assign(described, describeOurs(inner, fieldPath))
  }
  return described
}

describe.each(apis)('$name', (api) => {
  it.each(['request', 'response'] as const)('has the %s that Apache defines', (direction) => {
    const definition = definitions.get(`${api.key} ${direction}`)
    if (definition === undefined) throw new Error(`Apache defines no ${direction} for ${api.key}`)
    const ours = api[direction]
    const path = ours.name
    expect(describeOurs(ours.fields, path)).toEqual(
      describeApache(definition.fields, definition, path, api.versions.last),
    )
    const flexibleFrom =
      ours.flexible.first > ours.flexible.last ? 'none' : `${ours.flexible.first}+`
    expect(flexibleFrom).toBe(definition.flexibleVersions)
  })
})
