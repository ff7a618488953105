/** An OpenAPI 3.1 document, as far as its readers here look into it. */
export interface OpenapiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenapiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> }
}

/** An operation of the document. */
export interface OpenapiOperation {
  readonly operationId: string
  readonly parameters?: readonly OpenapiParameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, OpenapiContent>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, OpenapiContent>> }>>
}

/** A parameter of an operation. */
export interface OpenapiParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: unknown
  readonly example?: unknown
}

/** A body of one content type. */
export interface OpenapiContent {
  readonly schema: unknown
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>
}
