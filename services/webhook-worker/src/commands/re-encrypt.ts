import type { Keyring } from '@ariftly/keyring'
import { listSealedWebhooks, replaceSealed, type SealedWebhook } from './list-sealed-webhooks.ts'
import { webhookAad } from '@ariftly/webhook-sending'
import type { CommandContext } from './command.ts'

const PAGE = 200

/**
 * Seals every secret and header value that another key has sealed with the first of ENCRYPTION_KEYS, so that the others can
 * be taken out. May be run at any time and again. Exit code 1 when something could not be opened with any key.
 */
export async function reEncrypt({ pool, keyring: openKeyring, print }: CommandContext): Promise<number> {
  const keyring = openKeyring()
  const counts = { sealed: 0, kept: 0, changed: 0, unreadable: 0 }
  let afterId: string | undefined
  for (;;) {
    const page = await listSealedWebhooks(pool, { afterId, limit: PAGE })
    for (const webhook of page) {
      const again = sealAgain(keyring, webhook)
      if (again === 'kept') counts.kept += 1
      else if (again === 'unreadable') {
        counts.unreadable += 1
        print(`${webhook.id} of tenant ${webhook.tenant} cannot be opened with any of ENCRYPTION_KEYS`)
      } else if (await replaceSealed(pool, webhook, again)) counts.sealed += 1
      else counts.changed += 1
    }
    afterId = page.at(-1)?.id
    if (page.length < PAGE) break
  }
  print(`${counts.sealed} webhooks sealed with key ${keyring.primaryId}, ${counts.kept} were already`)
  if (counts.changed > 0) print(`${counts.changed} were changed meanwhile: run it again`)
  return counts.unreadable === 0 && counts.changed === 0 ? 0 : 1
}

function sealAgain(keyring: Keyring, webhook: SealedWebhook): SealedWebhook | 'kept' | 'unreadable' {
  const aad = webhookAad(webhook.tenant, webhook.id)
  const texts = [webhook.secret, webhook.previousSecret, webhook.headers]
  if (texts.every((text) => text === null || keyring.keyIdOf(text) === keyring.primaryId)) return 'kept'
  const opened = texts.map((text) => (text === null ? null : keyring.open(text, aad)))
  if (opened.includes(undefined)) return 'unreadable'
  const [secret, previousSecret = null, headers = null] = opened.map((plain) =>
    plain ? keyring.seal(plain, aad) : null,
  )
  return secret ? { ...webhook, secret, previousSecret, headers } : 'unreadable'
}
