import type { Transaction } from '../queryable.ts'

/**
 * Keeps others from opening an epoch until the transaction ends; reads continue. So "none yet, open one" is one step however many
 * run `migrate` or `adopt-log` at the same time. Owner's role only.
 */
export async function lockLogEpochs(tx: Transaction): Promise<void> {
  await tx.query('LOCK TABLE log_epochs IN SHARE ROW EXCLUSIVE MODE')
}
