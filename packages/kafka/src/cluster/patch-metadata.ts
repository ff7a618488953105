import { metadataResponse } from './internals.ts'

/**
 * Lets kafkajs's own clients (group membership, admin) tolerate a partition without a leader. Its Metadata parser rejects the
 * whole answer when one partition has an error, so one missing leader keeps all consumers of the topic from joining. With
 * this patch only an error of a topic rejects; a partition without a leader has the leader -1.
 */
export function patchMetadata(): void {
  const { parse } = metadataResponse
  if (isPatched(parse)) return
  const patched: typeof parse = async (data) => {
    const topicMetadata = data.topicMetadata.map((topic) => ({ ...topic, partitionMetadata: [] }))
    await parse({ ...data, topicMetadata })
    return data
  }
  metadataResponse.parse = Object.assign(patched, { [PATCHED]: true })
}

const PATCHED = Symbol('patched')

function isPatched(parse: object): boolean {
  return PATCHED in parse
}
