/** An OpenAPI 3.1 document: the members that this package reads. */
export interface OpenapiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenapiOperation>>>>
  /** Requests that the service sends, by name. */
  readonly webhooks?: Readonly<Record<string, Readonly<Record<string, OpenapiOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>
    readonly responses?: Readonly<Record<string, OpenapiResponse>>
  }
}

/** An operation of the document. */
export interface OpenapiOperation {
  readonly operationId: string
  readonly security?: readonly object[]
  readonly parameters?: readonly OpenapiParameter[]
  readonly 'x-codeSamples'?: readonly CodeSample[]
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, OpenapiContent>> }
  /** By status. Answers that several operations share are references. */
  readonly responses: Readonly<Record<string, OpenapiResponse | { readonly $ref: string }>>
}

/** An answer of an operation. */
export interface OpenapiResponse {
  readonly description: string
  readonly content?: Readonly<Record<string, OpenapiContent>>
}

/** How to call an operation in one language, as reference pages show it. */
export interface CodeSample {
  readonly lang: 'Shell' | 'TypeScript' | 'Python'
  readonly label: string
  readonly source: string
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
  /** Absent where the description says what the body is. */
  readonly schema?: unknown
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>
}
