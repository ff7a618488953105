// Ends what setup.mjs started. If jest dies before this runs, the stack ends with it by itself.
export default async function teardown() {
  await globalThis.closeTestStack?.()
}
