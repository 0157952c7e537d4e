import { relative } from 'node:path'
import type { Plugin } from 'vite'
import type { Defect } from './defects.ts'

/** The source text with the defect in it. Throws when its words are not there exactly once. */
export function applyDefect({ name, file, original, replacement }: Defect, code: string): string {
  const pieces = code.split(original)
  if (pieces.length === 2) return pieces.join(replacement)
  const times = pieces.length - 1
  throw new Error(`the words of defect '${name}' occur ${times} times in ${file}, not once`)
}

/** Puts the defect into the source file that it is for, while that is loaded. */
export function injectDefect(root: string, defect: Defect): Plugin {
  return {
    name: 'inject-defect',
    enforce: 'pre',
    transform(code, id) {
      const isMeant = relative(root, id.split('?')[0] ?? id) === defect.file
      return isMeant ? applyDefect(defect, code) : null
    },
  }
}
