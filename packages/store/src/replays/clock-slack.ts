/** How far the clock by which records are appended may go back, at both ends of a replay, without a loss: the caller looks at each time. */
export const CLOCK_SLACK_MS = 60_000
