/** SQL: whether the tenant of this column is served. By the primary key of `tenants`; most tenants have no row. */
export function isServed(column: string): string {
  return `NOT EXISTS (SELECT FROM tenants t WHERE t.id = ${column} AND t.state <> 'active')`
}
