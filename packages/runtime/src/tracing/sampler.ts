import { ROOT_CONTEXT, trace, type Link } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace'
import type { TracingConfig } from './tracing-config.ts'

/**
 * The sampler that the environment names. A batch span (no parent, but links) is sampled if one of its linked traces is: with
 * its own random choice it would be missing from most of them.
 */
export function createSampler(config: TracingConfig): Sampler {
  const sampler = namedSampler(config)
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

function namedSampler(config: TracingConfig): Sampler {
  const ratio = (): Sampler => new TraceIdRatioBasedSampler(Number(config.OTEL_TRACES_SAMPLER_ARG))
  switch (config.OTEL_TRACES_SAMPLER) {
    case 'always_on':
      return new AlwaysOnSampler()
    case 'always_off':
      return new AlwaysOffSampler()
    case 'traceidratio':
      return ratio()
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() })
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() })
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: ratio() })
  }
}
