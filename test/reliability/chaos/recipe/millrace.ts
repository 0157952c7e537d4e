import { createService } from '../../../../src/transaction/index.ts'
import { silentLog } from '../../../../src/observe/index.ts'
import { workOn } from '../recipe.ts'
import type { Recipe } from '../recipe.ts'

/** A service with `exactlyOnce`, as the guide to it shows. */
export const recipe: Recipe = async (task) => {
  const { sessionTimeoutMs, heartbeatIntervalMs } = task
  const service = createService({
    ...{ name: task.group, kafka: { brokers: task.brokers, log: silentLog } },
    ...{ metrics: false, log: silentLog },
  })
  service.records(
    task.source,
    async ({ key, value }, { sendRecord }) => {
      await sendRecord({ topic: task.target, key, value: await workOn(value) })
    },
    {
      ...{ start: 'earliest', exactlyOnce: true },
      group: { sessionTimeoutMs, heartbeatIntervalMs },
    },
  )
  await service.run()
}
