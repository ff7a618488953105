import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Dialog } from './dialog.tsx'
import { Fault } from './fault.tsx'

/** Asks before something that cannot be undone; closes when it is done, and shows why it is not. */
export function Confirm(props: {
  readonly title: string
  /** On the button. */
  readonly action: string
  readonly run: () => Promise<unknown>
  readonly onDone: () => void
  readonly onClose: () => void
  readonly children: ReactNode
}) {
  const { title, action, run, onDone, onClose, children } = props
  const { mutate, isPending, error } = useMutation({ mutationFn: run, onSuccess: onDone })
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="dialog-body">{children}</div>
      {error !== null && <Fault error={error} />}
      <footer className="dialog-foot">
        <button type="button" onClick={onClose}>
          Keep it
        </button>
        <button type="button" className="danger" disabled={isPending} onClick={() => mutate()}>
          {action}
        </button>
      </footer>
    </Dialog>
  )
}
