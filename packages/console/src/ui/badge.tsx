import type { ReactNode } from 'react'

/** What a badge says of a state. The text says it too: colour alone never does. */
export type Tone = 'good' | 'bad' | 'busy' | 'quiet'

/** A short state. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>
}

const DELIVERY_TONES: Readonly<Record<string, Tone>> = {
  pending: 'busy',
  delivered: 'good',
  failed: 'bad',
  cancelled: 'quiet',
}

/** The status of a delivery. */
export function DeliveryBadge({ status }: { readonly status: string }) {
  return <Badge tone={DELIVERY_TONES[status] ?? 'quiet'}>{status}</Badge>
}
