const lengthMax = 100

/** A text for a message: on one line, and cut to about a hundred characters. */
export function oneLine(text: string): string {
  const line = text.slice(0, lengthMax).replace(/[\p{C}\p{Z}]+/gu, ' ')
  return text.length > lengthMax ? `${line}…` : line
}

/** A value for a message. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${oneLine(value)}'`
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) return `an array of ${value.length}`
    return value instanceof Uint8Array ? `${value.length} bytes` : 'an object'
  }
  return typeof value === 'function' ? 'a function' : oneLine(String(value))
}

/** A place in data, as code would name it: `data.products[0].price`. */
export function pathTo(base: string, steps: readonly PropertyKey[]): string {
  let path = base
  for (const step of steps.slice(0, 32)) path += stepText(step, path === '')
  return path.length > 200 ? `${path.slice(0, 200)}…` : path
}

function stepText(step: PropertyKey, isFirst: boolean): string {
  if (typeof step === 'number' || (typeof step === 'string' && /^\d+$/.test(step))) {
    return `[${String(step)}]`
  }
  const name = String(step)
  if (!/^[\p{ID_Start}_$][\p{ID_Continue}$-]*$/u.test(name)) return `[${shown(name)}]`
  return isFirst ? name : `.${name}`
}
