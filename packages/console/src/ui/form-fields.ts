/** The text of a field; empty for one that is not there. */
export function fieldText(fields: FormData, name: string): string {
  const value = fields.get(name)
  return typeof value === 'string' ? value : ''
}

/** The fields of a form that are not empty, without white space around them. */
export function filledFields(form: HTMLFormElement): Readonly<Record<string, string>> {
  const fields = new FormData(form)
  const entries = [...fields.keys()].map((name) => [name, fieldText(fields, name).trim()] as const)
  return Object.fromEntries(entries.filter(([, text]) => text !== ''))
}
