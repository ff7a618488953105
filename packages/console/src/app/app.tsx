import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useState } from 'react'
import { KeyContext, Session, SessionContext, useSessionState, type SessionKey } from '../session/session.ts'
import { SignIn } from '../session/sign-in.tsx'
import { createConsoleQueries } from './queries.ts'
import { createConsoleRouter } from './router.tsx'

/** The console. Session and router, which knows addresses alone, live as long as the document; all else is made for one key. */
export function App() {
  const [session] = useState(() => new Session())
  const [router] = useState(createConsoleRouter)
  return (
    <SessionContext value={session}>
      <Entrance router={router} />
    </SessionContext>
  )
}

type Router = ReturnType<typeof createConsoleRouter>

/** The pages of the key, or what asks for one. */
function Entrance({ router }: { readonly router: Router }) {
  const state = useSessionState()
  switch (state.type) {
    case 'starting':
      return null
    case 'signed_in':
      return <Pages key={state.key.serial} sessionKey={state.key} router={router} />
    case 'signed_out':
    case 'refused':
      return <SignIn refused={state.type === 'refused'} />
  }
}

/** All that is read with a key is in here, and ends with it. */
function Pages({ sessionKey, router }: { readonly sessionKey: SessionKey; readonly router: Router }) {
  const [queries] = useState(() => createConsoleQueries(sessionKey.ended))
  return (
    <KeyContext value={sessionKey}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </KeyContext>
  )
}
