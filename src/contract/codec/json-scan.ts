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

/** A number that may have an exponent which takes it to infinity; not what ids have in their middle. */
const largeExponent = /[\d.][eE]\+?\d{3,}\s*(?:[,}\]]|$)/

/** Whether `text`, which is valid JSON, may break a limit: then the exact scan has to tell. */
export function needsScan(text: string, { depthMax, duplicateKeys }: ContractLimits): boolean {
  return (
    duplicateKeys === 'refuse' ||
    mayBeDeep(text, depthMax) ||
    hasLongNumber(text) ||
    largeExponent.test(text)
  )
}

/** The digits of the smallest integer that may be beyond 2^53. */
const unsafeDigits = 16

/**
 * Whether there are so many digits in a row. They would cover an index that is a multiple of their number,
 * so one character in sixteen is looked at, and its neighbours only where it is a digit.
 */
function hasLongNumber(text: string): boolean {
  for (let at = unsafeDigits - 1; at < text.length; at += unsafeDigits) {
    if (!isDigit(text, at)) continue
    let start = at
    while (isDigit(text, start - 1) && at - start < unsafeDigits) start--
    let end = at
    while (isDigit(text, end + 1) && end - start < unsafeDigits) end++
    if (end - start >= unsafeDigits - 1) return true
  }
  return false
}

function isDigit(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0x30 && unit <= 0x39
}

/** What an object takes that holds another one, `{"":` and `}`, and an array: `[` and `]`. */
const objectLength = 5
const arrayLength = 2

/** Whether there may be more objects and arrays in one another, by their number and what they take. */
function mayBeDeep(text: string, depthMax: number): boolean {
  if (text.length < arrayLength * depthMax) return false
  const arrays = countUpTo(text, '[', depthMax)
  const objectsAtMost = (text.length - arrayLength * arrays) / objectLength
  if (arrays + objectsAtMost <= depthMax) return false
  return arrays + countUpTo(text, '{', depthMax) > depthMax
}

/** How often a character is there; more than `max` are not counted further. */
function countUpTo(text: string, character: string, max: number): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
    if (++count > max) return count
  }
  return count
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
