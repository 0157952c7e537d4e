import { isDiskError } from '../../../platform/index.ts'
import type { Disk } from '../../../platform/index.ts'

const bytesMax = 256

/** A text of some bytes in a file of its own, whose loss does no harm: nothing is said where it cannot be read or written. */
export class SmallFile {
  readonly #disk: Disk
  readonly #path: string

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
  }

  read(): string | undefined {
    return this.#quietly(() => {
      if (this.#disk.status(this.#path) === undefined) return undefined
      const file = this.#disk.open(this.#path, 'existing')
      try {
        const content = Buffer.alloc(bytesMax)
        return content.toString('utf8', 0, file.read(content, 0))
      } finally {
        file.close()
      }
    })
  }

  write(text: string): void {
    this.#quietly(() => {
      const file = this.#disk.open(this.#path, 'create')
      try {
        file.truncate(0)
        file.write([Buffer.from(text)], 0)
      } finally {
        file.close()
      }
    })
  }

  #quietly<Result>(operation: () => Result): Result | undefined {
    try {
      return operation()
    } catch (error) {
      if (isDiskError(error)) return undefined
      throw error
    }
  }
}
