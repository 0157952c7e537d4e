/** The id that stands for none: sixteen zero bytes. */
export const noTopicId = 'A'.repeat(22)
