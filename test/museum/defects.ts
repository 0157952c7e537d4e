/** A mistake, as a replacement in one source file, and the suite that must notice it. */
export interface Defect {
  readonly name: string
  /** What goes wrong with it, and where it was seen. */
  readonly story: string
  readonly file: string
  /** Words that occur once in the file. */
  readonly original: string
  readonly replacement: string
  /** The test file, and where one test is meant the beginning of its name. */
  readonly caughtBy: string
  readonly test?: string
}

export const defects: readonly Defect[] = []
