// A module hook: workspaces are taken from their `src` (export conditions `source` and, of the SDK, `@ariftly/source`), as in the tests themselves, so that a stale or
// missing build is never what runs.
export function resolve(specifier, context, nextResolve) {
  return nextResolve(specifier, { ...context, conditions: ['source', '@ariftly/source', ...context.conditions] })
}
