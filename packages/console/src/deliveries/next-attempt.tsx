import { Time } from '../ui/time.tsx'

/** `, next 12:00:00.000`; nothing for a delivery that has no next attempt. */
export function NextAttempt({ at }: { readonly at: string | null }) {
  if (at === null) return null
  return (
    <>
      , next <Time at={at} />
    </>
  )
}
