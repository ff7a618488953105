/** One column of {@link Bars}, its parts from the bottom up. */
export interface Bar {
  readonly title: string
  readonly parts: readonly { readonly tone: 'good' | 'bad' | 'plain'; readonly value: number }[]
}

const HEIGHT = 48

/** A small chart of counts over time, oldest first. The largest column fills the height. */
export function Bars({ bars, label }: { readonly bars: readonly Bar[]; readonly label: string }) {
  const largest = Math.max(1, ...bars.map(({ parts }) => sumOf(parts)))
  return (
    <svg
      className="bars"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${bars.length * 4} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      {bars.map(({ title, parts }, column) => (
        <g key={column}>
          <title>{title}</title>
          {parts.map(({ tone, value }, part) => {
            const below = sumOf(parts.slice(0, part))
            const height = (value / largest) * HEIGHT
            return (
              <rect
                key={tone}
                className={tone}
                x={column * 4 + 0.5}
                width={3}
                y={HEIGHT - (below / largest) * HEIGHT - height}
                height={height}
              />
            )
          })}
        </g>
      ))}
    </svg>
  )
}

function sumOf(parts: Bar['parts']): number {
  return parts.reduce((sum, { value }) => sum + value, 0)
}
