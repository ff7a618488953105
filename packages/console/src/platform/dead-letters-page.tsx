import { useKey } from '../session/session.ts'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { ListPage } from './list-page.tsx'

/** Records of the log that are no events. */
export function DeadLettersPage() {
  const { client } = useKey()
  return (
    <ListPage
      title="Dead letters"
      request={{ path: '/v1/dead-letters', command: 'dead-letters', method: 'deadLetters.list' }}
      read={(query, signal) => client.deadLetters.list(query, { signal })}
      keyOf={({ id }) => id}
      empty="Every record of the log is an event."
      columns={[
        { title: 'When', cell: ({ at }) => <Time at={at} /> },
        { title: 'Reason', cell: ({ reason }) => <code>{visibleText(reason)}</code> },
        { title: 'Detail', cell: ({ detail }) => visibleText(detail) },
        { title: 'Partition, offset', cell: ({ partition, offset }) => `${partition ?? '–'}, ${offset ?? '–'}` },
        { title: 'Source', cell: ({ source }) => visibleText(source ?? '–') },
      ]}
    >
      <p className="muted">The columns say what was wrong. Post the event again once it is corrected.</p>
    </ListPage>
  )
}
