import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** Runs the garbage collector, in a process that was started without `--expose-gc` too. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}

/** Collects garbage every `everyMs`, but for half of the time at most, until the returned function is called. */
export function keepCollectingGarbage(everyMs = 50): () => void {
  let timer = setTimeout(collectNow, everyMs)

  function collectNow(): void {
    const startMs = performance.now()
    collectGarbage()
    timer = setTimeout(collectNow, Math.max(everyMs, performance.now() - startMs))
  }
  return () => clearTimeout(timer)
}
