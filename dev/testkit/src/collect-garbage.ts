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

/** Collects garbage every `everyMs` until the returned function is called. */
export function keepCollectingGarbage(everyMs = 50): () => void {
  const timer = setInterval(collectGarbage, everyMs)
  return () => clearInterval(timer)
}
