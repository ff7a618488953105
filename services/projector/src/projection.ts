/** Name of this projection in `projection_offsets`. */
export const PROJECTION = 'events'
