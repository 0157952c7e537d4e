export { compress, compressions, decompress, prepareCompression } from './compression.ts'
export type { Compression } from './compression.ts'
