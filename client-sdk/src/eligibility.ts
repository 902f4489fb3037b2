import { type Eligibility, FedweaveError, type Runtime } from '@fedweave/aggregator'

/** Checks what a task asks of its clients. Throws `FL_NOT_ELIGIBLE` naming the first condition that is not met. */
export function checkEligibility(
  { minimumExamples = 0, runtimes }: Eligibility,
  client: { readonly examples: number; readonly runtime: Runtime },
): void {
  if (runtimes !== undefined && !runtimes.includes(client.runtime)) {
    throw new FedweaveError(
      'FL_NOT_ELIGIBLE',
      `the task is for clients in ${runtimes.join(' or ')}, and this one runs in ${client.runtime}`,
    )
  }
  if (client.examples < minimumExamples) {
    throw new FedweaveError(
      'FL_NOT_ELIGIBLE',
      `the task asks for ${minimumExamples} examples at least, and this client has ${client.examples}`,
    )
  }
}
