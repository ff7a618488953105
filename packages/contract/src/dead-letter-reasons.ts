import { DEAD_LETTER_REASONS as REASONS_OF_RECORDS } from '@ariftly/events'

/** Why a record is a dead letter: it is no event, or Postgres refuses it (`not_storable`). More may be added. */
export const DEAD_LETTER_REASONS = [...REASONS_OF_RECORDS, 'not_storable'] as const
