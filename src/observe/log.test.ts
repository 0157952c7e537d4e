import { describe, expect, it, vi } from 'vitest'
import { createConsoleLog, createJsonLog, toLog } from './index.ts'
import type { LogLevel } from './index.ts'

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6) }
const levels = ['debug', 'info', 'warn', 'error'] as const

function jsonLog(level: LogLevel) {
  const lines: string[] = []
  return { lines, log: createJsonLog({ level, clock, write: (line) => lines.push(line) }) }
}

describe('a JSON log', () => {
  it('writes each message as one line', () => {
    const { lines, log } = jsonLog('debug')
    log('warn', 'two\nlines', {
      broker: 'a "b"',
      port: 9092,
      ok: true,
      gone: undefined,
      none: null,
    })
    expect(lines).toEqual([
      '{"time":"2026-01-02T03:04:05.006Z","level":"warn","message":"two\\nlines",' +
        '"broker":"a \\"b\\"","port":9092,"ok":true,"none":null}',
    ])
  })

  it('keeps what every line has, whatever the fields are called', () => {
    const { lines, log } = jsonLog('debug')
    log('info', 'true', { message: 'false', level: 'false', time: 'false' })
    expect(JSON.parse(lines[0]!)).toEqual({
      time: '2026-01-02T03:04:05.006Z',
      level: 'info',
      message: 'true',
    })
  })

  it.each(levels)('of level %s leaves out what is below', (lowest) => {
    const { lines, log } = jsonLog(lowest)
    for (const level of levels) log(level, level)
    const written = lines.map((line) => (JSON.parse(line) as { level: string }).level)
    expect(written).toEqual(levels.slice(levels.indexOf(lowest)))
  })
})

describe('the log on the console', () => {
  it('goes to standard error, from info up', () => {
    const write = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    try {
      const log = createConsoleLog()
      log('debug', 'not this')
      log('info', 'this with 100 %s')
      expect(write).toHaveBeenCalledTimes(1)
      expect(write.mock.calls[0]?.[0]).toBe('%s')
      expect(write.mock.calls[0]?.[1]).toContain('"message":"this with 100 %s"')
    } finally {
      write.mockRestore()
    }
  })
})

describe('a logger', () => {
  it('gets fields and message by the method of the level', () => {
    class Recorder {
      readonly lines: unknown[] = []
      debug(fields: object, message: string) {
        this.lines.push(['debug', fields, message])
      }
      info(fields: object, message: string) {
        this.lines.push(['info', fields, message])
      }
      warn(fields: object, message: string) {
        this.lines.push(['warn', fields, message])
      }
      error(fields: object, message: string) {
        this.lines.push(['error', fields, message])
      }
    }
    const recorder = new Recorder()
    const log = toLog(recorder)
    for (const level of levels) log(level, `a message of ${level}`, { level })
    log('info', 'without fields')
    expect(recorder.lines).toEqual([
      ...levels.map((level) => [level, { level }, `a message of ${level}`]),
      ['info', {}, 'without fields'],
    ])
  })

  it('may be a function', () => {
    const calls: unknown[] = []
    toLog((...call) => calls.push(call))('warn', 'hot', { celsius: 90 })
    expect(calls).toEqual([['warn', 'hot', { celsius: 90 }]])
  })

  it('that throws loses its message, and nothing more', () => {
    const fail = () => {
      throw new Error('the disk is full')
    }
    for (const log of [fail, { debug: fail, info: fail, warn: fail, error: fail }]) {
      expect(() => toLog(log)('error', 'lost')).not.toThrow()
    }
  })
})
