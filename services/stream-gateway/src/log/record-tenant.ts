import type { RecordView } from '@ariftly/kafka'

const SLASH = 0x2f

/** The previous record's tenant: most records arrive in runs of one tenant, whose name need not be decoded again. */
let last = { tenant: '', prefix: '/' }

/** The tenant of a record, as its key names it (`<tenant>/<task or session>`). */
export function tenantOf(record: RecordView): string | undefined {
  if (record.keyStartsWith(last.prefix)) return last.tenant
  const tenant = record.keyTextBefore(SLASH)
  if (tenant !== undefined) last = { tenant, prefix: `${tenant}/` }
  return tenant
}
