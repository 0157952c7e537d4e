import { relative } from 'node:path'
import type { Plugin } from 'vite'
import { defects } from './defects.ts'
import type { Defect } from './defects.ts'

/** The source text with the defect in it. Throws when its words are not there exactly once. */
export function applyDefect({ name, file, original, replacement }: Defect, code: string): string {
  const pieces = code.split(original)
  if (pieces.length === 2) return pieces.join(replacement)
  const times = pieces.length - 1
  throw new Error(`the words of defect '${name}' occur ${times} times in ${file}, not once`)
}

/** Puts the defect that `MILLRACE_DEFECT` names into the source file that it is for. */
export function injectDefect(root: string): Plugin {
  const name = process.env['MILLRACE_DEFECT']
  const defect = defects.find((other) => other.name === name)
  if (name !== undefined && defect === undefined) throw new Error(`there is no defect '${name}'`)
  return {
    name: 'inject-defect',
    enforce: 'pre',
    transform(code, id) {
      if (defect === undefined) return null
      const isMeant = relative(root, id.split('?')[0] ?? id) === defect.file
      return isMeant ? applyDefect(defect, code) : null
    },
  }
}
