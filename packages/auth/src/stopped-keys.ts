import type { ApiKeyChange } from '@ariftly/store/api-keys'

/** What the feed says has stopped. */
export type Stopped =
  /** A key, or one of its secrets by number; undefined: all. */
  | { readonly type: 'key'; readonly keyId: string; readonly secret: number | undefined }
  /** All keys of a tenant; those with the scope `platform` only if `withPlatform`. */
  | { readonly type: 'tenant'; readonly tenant: string; readonly withPlatform: boolean }
  /** Any key may have: changes of keys were missed. */
  | { readonly type: 'all' }

/** When a key ends, or one secret of it by number. */
interface EndingSecret {
  readonly keyId: string
  readonly secret: number | undefined
  readonly atMs: number
}

/** Calls listeners when keys stop: immediately, or when an end announced by the feed is due. */
export class StoppedKeys {
  readonly #listeners = new Set<(stopped: Stopped) => void>()
  /** Ends that the feed has announced and that are not due: one for each key that was changed, and each secret that was rotated. */
  readonly #ends = new Map<string, EndingSecret>()

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
  onChange(change: ApiKeyChange): void {
    switch (change.kind) {
      case 'revoked':
        return this.report({ type: 'key', keyId: change.keyId, secret: undefined })
      case 'updated':
        return this.#announce({ keyId: change.keyId, secret: undefined, atMs: change.endsAtMs })
      case 'rotated':
        return this.#announce({ keyId: change.keyId, secret: change.secret ?? undefined, atMs: change.endsAtMs })
      case 'tenant_suspended':
      case 'tenant_deleted':
        return this.report({
          type: 'tenant',
          tenant: change.tenant,
          withPlatform: change.kind === 'tenant_deleted',
        })
      case 'tenant_updated':
        return
    }
  }

  /** Remembers when a secret ends; null takes an earlier announcement back. */
  #announce({ keyId, secret, atMs }: Omit<EndingSecret, 'atMs'> & { readonly atMs: number | null }): void {
    const name = `${keyId} ${secret ?? ''}`
    if (atMs === null) this.#ends.delete(name)
    else this.#ends.set(name, { keyId, secret, atMs })
  }

  /** Reports the secrets whose announced end is due. */
  endDue(nowMs: number): void {
    for (const [name, { keyId, secret, atMs }] of this.#ends) {
      if (atMs > nowMs) continue
      this.#ends.delete(name)
      this.report({ type: 'key', keyId, secret })
    }
  }
}
