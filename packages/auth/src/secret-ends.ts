/** A key, or one secret of it, that has ended. `secret` undefined: all of them. */
interface EndedSecret {
  readonly keyId: string
  readonly secret: number | undefined
}

/** Ends that the feed has announced, for the streams that hang on a secret. */
export interface SecretEnds {
  /** Remembers when a secret ends; null takes an earlier announcement back. */
  announce(ended: EndedSecret, atMs: number | null): void
  /** Returns the secrets that have ended by now, each once. */
  takeDue(nowMs: number): readonly EndedSecret[]
}

/** Creates an empty list. It holds one entry for each key that was changed, and each secret that was rotated, and has not ended. */
export function createSecretEnds(): SecretEnds {
  const ends = new Map<string, { readonly ended: EndedSecret; readonly atMs: number }>()

  function announce(ended: EndedSecret, atMs: number | null): void {
    const name = `${ended.keyId} ${ended.secret ?? ''}`
    if (atMs === null) ends.delete(name)
    else ends.set(name, { ended, atMs })
  }

  function takeDue(nowMs: number): readonly EndedSecret[] {
    const due = [...ends].filter(([, { atMs }]) => atMs <= nowMs)
    for (const [name] of due) ends.delete(name)
    return due.map(([, { ended }]) => ended)
  }

  return { announce, takeDue }
}
