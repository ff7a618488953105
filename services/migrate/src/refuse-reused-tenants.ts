import { describeLog, type KafkaClient } from '@ariftly/kafka'
import { Fault } from '@ariftly/runtime'
import type { ReusedTenant } from '@ariftly/store/tenants'

/**
 * Readers of this release recognise a deleted tenant's records by its id alone. So for an id that was reused before the upgrade
 * the log must have no records of the deleted tenant any more.
 * @throws Fault `tenant_ids_reused`, with the ids and the day, while the log has some.
 */
export async function refuseReusedTenants(
  kafka: KafkaClient,
  o: { readonly topic: string; readonly reused: readonly ReusedTenant[]; readonly retentionMs: number },
): Promise<void> {
  const { partitions } = await describeLog(kafka, o.topic)
  const starts = new Map(partitions.map(({ partition, logStart }) => [partition, logStart]))
  const held = o.reused.filter(({ partition, endOffset }) => (starts.get(partition) ?? endOffset) < endOffset)
  if (held.length > 0) throw tenantIdsReused(held, o.retentionMs)
}

function tenantIdsReused(held: readonly ReusedTenant[], retentionMs: number): Fault {
  const ids = [...new Set(held.map(({ tenant }) => tenant))]
  const goneMs = Math.max(...held.map(({ deletedAtMs }) => deletedAtMs)) + retentionMs
  return new Fault({
    code: 'tenant_ids_reused',
    message:
      `These ids were deleted and given again, and the log still holds records of the deleted tenants: ${ids.join(', ')}. ` +
      `The retention of the log removes them on ${new Date(goneMs).toISOString().slice(0, 10)} or soon after: run migrate again then. ` +
      'Or delete these tenants with the release that is running, for good.',
  })
}
