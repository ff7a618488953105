// `@ariftly/events/validate`: validates posted events by the catalogue's schemas.
export { validateBinaryCloudEvent, validateCloudEvents } from './cloudevents/validate-cloud-events.ts'
export { validateEvents } from './validation/validate-events.ts'
