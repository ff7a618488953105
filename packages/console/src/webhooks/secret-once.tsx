import { CopyText } from '../ui/copy-as.tsx'

/** A secret that the API shows this once. */
export function SecretOnce({ what, secret }: { readonly what: string; readonly secret: string }) {
  return (
    <div className="note" role="alert">
      <p>
        <strong>{what}</strong> It is shown this once: copy it now.
      </p>
      <p className="secret">
        <code>{secret}</code> <CopyText text={secret} />
      </p>
    </div>
  )
}
