/** The type and subtype of a `Content-Type` in lower case, without its parameters (RFC 9110, 8.3.1). Takes linear time. */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/** Whether the parameters of a `Content-Type` are none, or `charset=utf-8` alone. Takes linear time. */
export function isUtf8Type(contentType: string): boolean {
  const end = contentType.indexOf(';')
  if (end === -1) return true
  const parameters = contentType
    .slice(end + 1)
    .split(';', PARAMETERS_MAX)
    .map((parameter) => parameter.trim().toLowerCase())
    .filter((parameter) => parameter !== '')
  return parameters.length <= 1 && parameters.every(isUtf8Parameter)
}

/** More parameters than these make a type that we do not take. */
const PARAMETERS_MAX = 3

function isUtf8Parameter(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=', 2).map((part) => part.trim())
  return name === 'charset' && (value === 'utf-8' || value === '"utf-8"')
}
