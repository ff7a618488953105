import type { Webhook } from '@ariftly/sdk'
import { Badge } from '../ui/badge.tsx'
import { Time } from '../ui/time.tsx'

const REASONS: Readonly<Record<string, string>> = {
  manual: 'disabled by a person',
  gone: 'disabled: the receiver answered 410',
  failures: 'disabled: it failed for days',
}

/** Whether a webhook is delivered to, and why not. */
export function WebhookBadge({
  webhook,
}: {
  readonly webhook: Pick<Webhook, 'enabled' | 'disabled_reason' | 'failing_since'>
}) {
  const { enabled, disabled_reason, failing_since } = webhook
  if (!enabled) return <Badge tone="bad">{REASONS[disabled_reason ?? ''] ?? 'disabled'}</Badge>
  if (failing_since !== null) {
    return (
      <Badge tone="busy">
        failing since <Time at={failing_since} />
      </Badge>
    )
  }
  return <Badge tone="good">enabled</Badge>
}
