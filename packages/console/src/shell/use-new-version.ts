import { useEffect, useState } from 'react'

const EVERY_MS = 300_000

/** Whether the server has another build of the console than the one that runs: its page names other scripts. */
export function useNewVersion(): boolean {
  const [isNew, setNew] = useState(false)
  useEffect(() => {
    const check = async () => {
      if (document.hidden) return
      const page = await fetch('/console', { cache: 'no-cache' })
        .then((answer) => answer.text())
        .catch(() => undefined)
      // A proxy's error page names no script at all.
      if (page?.includes('/console/assets/') === true) setNew(![...scriptsOf(page)].some(isLoaded))
    }
    const timer = setInterval(() => void check(), EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  return isNew
}

function* scriptsOf(page: string): Generator<string> {
  for (const [, path] of page.matchAll(/src="(\/console\/assets\/[^"]+\.js)"/g)) if (path !== undefined) yield path
}

function isLoaded(script: string): boolean {
  return document.querySelector(`script[src="${script}"]`) !== null
}
