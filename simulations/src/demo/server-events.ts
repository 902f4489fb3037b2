import type { TaskEvent } from '@fedweave/server'

/** The events of one task, read from the server's event stream as they happen. */
export async function* serverEvents(url: string, task: string, signal: AbortSignal): AsyncGenerator<TaskEvent> {
  const response = await fetch(`${url}/v1/tasks/${task}/events`, { signal })
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) if (block.startsWith('data: ')) yield JSON.parse(block.slice(6)) as TaskEvent
  }
}
