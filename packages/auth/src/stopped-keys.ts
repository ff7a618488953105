import type { KeyChange } from './key-feed.ts'
import { createSecretEnds } from './secret-ends.ts'

/** What the feed says has stopped. */
export type Stopped =
  /** A key, or one of its secrets by number; undefined: all. */
  | { readonly type: 'key'; readonly keyId: string; readonly secret: number | undefined }
  /** All keys of a tenant; those with the scope `platform` only if `withPlatform`. */
  | { readonly type: 'tenant'; readonly tenant: string; readonly withPlatform: boolean }
  /** Any key may have: changes of keys were missed. */
  | { readonly type: 'all' }

/** Calls listeners when keys stop: immediately, or when an end announced by the feed is due. */
export class StoppedKeys {
  readonly #listeners = new Set<(stopped: Stopped) => void>()
  readonly #ends = createSecretEnds()

  /** Adds a listener. Returns how to remove it. */
  onStopped(listener: (stopped: Stopped) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls the listeners. */
  report(stopped: Stopped): void {
    for (const listener of this.#listeners) listener(stopped)
  }

  /** A change of the feed. */
  onChange({ kind, keyId, tenant, secret, endsAtMs }: KeyChange): void {
    switch (kind) {
      case 'revoked':
      case 'suspended':
        return this.report({ type: 'key', keyId, secret: undefined })
      case 'updated':
        return this.#ends.announce({ keyId, secret: undefined }, endsAtMs)
      case 'rotated':
        return this.#ends.announce({ keyId, secret: secret ?? undefined }, endsAtMs)
      case 'tenant_suspended':
      case 'tenant_deleted':
        return this.report({ type: 'tenant', tenant: tenant ?? '', withPlatform: kind === 'tenant_deleted' })
      case 'tenant_updated':
        return
    }
  }

  /** Reports the secrets whose announced end is due. */
  endDue(nowMs: number): void {
    for (const { keyId, secret } of this.#ends.takeDue(nowMs)) this.report({ type: 'key', keyId, secret })
  }
}
