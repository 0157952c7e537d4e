export { GroupCoordinator } from './group-coordinator.ts'
export { defaultConsumerTiming, defaultGroupConfig } from './ports.ts'
export { undescribedGroup } from './undescribed-group.ts'
export type { UndescribedGroup } from './undescribed-group.ts'
export type {
  ConsumerTiming,
  GroupConfig,
  GroupPorts,
  GroupTopic,
  GroupTopics,
  MigrationPolicy,
  Requester,
  ShareTiming,
} from './ports.ts'
