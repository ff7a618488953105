// `@ariftly/events/validate`: what judges posted events by the catalogue's schemas.
export { validateBinaryCloudEvent, validateCloudEvents } from './cloudevents/validate-cloud-events.ts'
export { validateEvents } from './validation/validate-events.ts'
