import { metadataResponse } from './internals.ts'

/**
 * Lets kafkajs's own clients (group membership, admin) live with a partition that has no leader: its parser of Metadata
 * rejects the whole answer when one partition has an error, so that one lost leader keeps every consumer of the topic from
 * joining. With this patch only an error of a topic rejects; a partition without a leader has the leader -1.
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
