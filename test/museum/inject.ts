import { relative } from 'node:path'
import type { Plugin } from 'vite'
import { defects } from './defects.ts'

/** Puts the defect that `MILLRACE_DEFECT` names into the source files that it is for. */
export function injectDefect(root: string): Plugin {
  const name = process.env['MILLRACE_DEFECT']
  const defect = name === undefined ? undefined : defects.find((other) => other.name === name)
  if (name !== undefined && defect === undefined) throw new Error(`there is no defect '${name}'`)
  return {
    name: 'inject-defect',
    enforce: 'pre',
    transform(code, id) {
      if (defect === undefined || relative(root, id.split('?')[0] ?? id) !== defect.file)
        return null
      const pieces = code.split(defect.original)
      if (pieces.length !== 2) {
        throw new Error(
          `the words of defect '${defect.name}' occur ${pieces.length - 1} times in ${defect.file}, not once`,
        )
      }
      return pieces.join(defect.replacement)
    },
  }
}
