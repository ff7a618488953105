import { diag, ROOT_CONTEXT, trace, type Link } from '@opentelemetry/api'
import { getNumberFromEnv, getStringFromEnv } from '@opentelemetry/core'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace'

/**
 * The sampler that the environment names. A batch span (no parent, but links) is sampled if one of its linked traces is: with
 * its own random choice it would be missing from most of them.
 */
export function createSampler(): Sampler {
  const sampler = namedSampler()
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      if (links.length === 0 || trace.getSpanContext(context) !== undefined) {
        return sampler.shouldSample(context, traceId, name, kind, attributes, links)
      }
      const isRecorded = (link: Link): boolean => {
        const parent = trace.setSpanContext(ROOT_CONTEXT, link.context)
        const { decision } = sampler.shouldSample(parent, link.context.traceId, name, kind, attributes, [])
        return decision === SamplingDecision.RECORD_AND_SAMPLED
      }
      return {
        decision: links.some(isRecorded) ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
      }
    },
    toString: () => `Linked{${sampler.toString()}}`,
  }
}

function namedSampler(): Sampler {
  const name = getStringFromEnv('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on'
  const root = rootSampler(name.replace(/^parentbased_/, ''))
  if (root === undefined) {
    diag.warn(`OTEL_TRACES_SAMPLER is ${name}, which names no sampler: parentbased_always_on is used`)
    return new ParentBasedSampler({ root: new AlwaysOnSampler() })
  }
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

function rootSampler(name: string): Sampler | undefined {
  if (name === 'always_on') return new AlwaysOnSampler()
  if (name === 'always_off') return new AlwaysOffSampler()
  return name === 'traceidratio'
    ? new TraceIdRatioBasedSampler(getNumberFromEnv('OTEL_TRACES_SAMPLER_ARG') ?? 1)
    : undefined
}
