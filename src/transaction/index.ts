export { createConsumer, createService } from './create.ts'
export { makeExactlyOnce } from './exactly-once.ts'
