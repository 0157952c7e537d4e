import { ContractViolation } from '../contract-error.ts'
import type { ContractLimits } from './codec.ts'
import { oneLine, pathTo } from '../schema/shown.ts'

/*
 * What JSON.parse lets through and a reader should not: text that is valid JSON, but nests deeper than
 * anybody means, names a key twice, or has a number that no number of JavaScript is. The exact scan below
 * reads every character, which takes as long as parsing, so it runs only for texts that quick tests cannot
 * clear: tests that look for one character or a long run of digits, which the engine does many bytes at a
 * time. It takes valid JSON: JSON.parse goes first.
 */

/** A number of which it takes 16 digits is the smallest that may be beyond 2^53. */
const manyDigits = /\d{16}/
/** Where a number may follow and have an exponent that takes it to infinity. */
const largeExponent = /[\d.][eE]\+?\d{3}/

/** Whether `text`, which is valid JSON, may break a limit: then the exact scan has to tell. */
export function needsScan(text: string, { depthMax, duplicateKeys }: ContractLimits): boolean {
  return (
    duplicateKeys === 'refuse' ||
    mayBeDeep(text, depthMax) ||
    manyDigits.test(text) ||
    largeExponent.test(text)
  )
}

/** Whether there are more objects and arrays than may lie in one another. */
function mayBeDeep(text: string, depthMax: number): boolean {
  if (text.length < 2 * depthMax) return false
  let left = depthMax
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at + 1)) {
    if (--left < 0) return true
  }
  for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at + 1)) {
    if (--left < 0) return true
  }
  return false
}

const quote = 0x22
const backslash = 0x5c

/** An object or array that the scan is in. */
interface Level {
  /** The keys that were seen; undefined in an array. */
  readonly keys: Set<string> | undefined
  /** The key or index where the scan is. */
  step: string | number
  expectsKey: boolean
}

/**
 * Reads valid JSON character by character, and throws a `ContractViolation` at the first thing that the
 * limits do not allow.
 */
export function scanJson(text: string, { depthMax, duplicateKeys }: ContractLimits): void {
  const levels: Level[] = []
  for (let at = 0; at < text.length; at++) {
    const level = levels.at(-1)
    switch (text[at]) {
      case '{':
      case '[':
        if (levels.length === depthMax) {
          throw violation('too-deep', `lies deeper than ${depthMax} levels`, levels.slice(0, 8))
        }
        levels.push(newLevel(text[at] === '{'))
        break
      case '}':
      case ']':
        levels.pop()
        break
      case ',':
        if (level?.keys !== undefined) level.expectsKey = true
        else if (level !== undefined) level.step = Number(level.step) + 1
        break
      case '"': {
        const end = stringEnd(text, at)
        if (level?.expectsKey === true) {
          enterKey(level, text.slice(at, end), levels, duplicateKeys === 'refuse')
        }
        at = end - 1
        break
      }
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9': {
        const end = numberEnd(text, at)
        checkNumber(text.slice(at, end), levels)
        at = end - 1
      }
    }
  }
}

function newLevel(isObject: boolean): Level {
  return isObject
    ? { keys: new Set(), step: '', expectsKey: true }
    : { keys: undefined, step: 0, expectsKey: false }
}

function enterKey(level: Level, literal: string, levels: readonly Level[], unique: boolean): void {
  const key = JSON.parse(literal) as string
  level.step = key
  level.expectsKey = false
  if (!unique || level.keys === undefined) return
  if (level.keys.has(key)) throw violation('duplicate-key', 'is there twice', levels)
  level.keys.add(key)
}

/** Behind the closing quote of the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== quote) {
    at += text.charCodeAt(at) === backslash ? 2 : 1
  }
  return at + 1
}

function numberEnd(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && /[\d.eE+-]/.test(text[at] as string)) at++
  return at
}

/**
 * An integer beyond 2^53 would become another one without anybody noticing. What is written with an
 * exponent is an approximation in any language; it only has to be finite.
 */
function checkNumber(literal: string, levels: readonly Level[]): void {
  const value = Number(literal)
  const isExact = /[eE]/.test(literal)
    ? Number.isFinite(value)
    : Math.abs(value) <= Number.MAX_SAFE_INTEGER
  if (isExact) return
  const problem = 'is beyond 2^53 - 1 and would be changed; write it as text'
  throw violation('unsafe-integer', problem, levels, oneLine(literal))
}

function violation(
  reason: 'too-deep' | 'duplicate-key' | 'unsafe-integer',
  problem: string,
  levels: readonly Level[],
  literal?: string,
): ContractViolation {
  const path = pathTo(
    '',
    levels.map(({ step }) => step),
  )
  return new ContractViolation(
    reason,
    problem,
    literal === undefined ? { path } : { path, shown: literal },
  )
}
