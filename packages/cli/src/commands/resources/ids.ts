import type { ArgumentSpec } from '../../command/command.ts'

const id = (name: string, idPrefix: string, summary: string): ArgumentSpec => ({ name, idPrefix, summary })

/** Ids that commands take. */
export const IDS = {
  event: id('id', 'evt_', 'id of the event'),
  webhook: id('webhook', 'whk_', 'id of the webhook'),
  delivery: id('id', 'dlv_', 'id of the delivery'),
  redelivery: id('id', 'rdl_', 'id of the redelivery'),
  replay: id('replay', 'rpl_', 'id of the replay'),
  key: id('id', 'key_', 'id of the key, not the key itself'),
} as const
