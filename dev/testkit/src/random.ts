import { randomInt } from 'node:crypto'

/**
 * A seed for a test that draws its moments and inputs, printed so that a failure can be repeated with TEST_SEED. TEST_RUN_SEED is
 * the seed of a whole run, so that a file that is run again draws the same.
 * @param name what is drawn, for the printed line.
 * @returns 0 to 2^31 - 1.
 */
export function randomSeed(name: string, env: NodeJS.ProcessEnv = process.env): number {
  const given = Number.parseInt(env['TEST_SEED'] ?? env['TEST_RUN_SEED'] ?? '', 10)
  const seed = Number.isNaN(given) ? randomInt(2 ** 31) : given
  process.stderr.write(`${name}: seed ${seed} (again with TEST_SEED=${seed})\n`)
  return seed
}

/** Random numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = Math.trunc(seed)
  return function random(): number {
    state = Math.trunc(state + 0x6d_2b_79_f5)
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
