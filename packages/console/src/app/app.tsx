import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useState } from 'react'
import { Session, SessionContext } from '../session/session.ts'
import { createConsoleQueries } from './queries.ts'
import { createConsoleRouter } from './router.tsx'

/** The console: session, cache of answers, and pages. One of each lives as long as the document. */
export function App() {
  const [session] = useState(() => new Session())
  const [queries] = useState(createConsoleQueries)
  const [router] = useState(createConsoleRouter)
  return (
    <SessionContext value={session}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </SessionContext>
  )
}
