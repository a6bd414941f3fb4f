import { IncomingMessage } from 'node:http'
import { Stripe } from 'stripe'

/** The bytes of answers, by what the client makes of their JSON. */
export type AnswerBytes = WeakMap<object, Buffer>

/**
 * The client's own HTTP, but for two things: once the read is aborted no connection is opened any more, where the client tries
 * a closed one again whatever its settings say; and the bytes of each answer are remembered.
 */
export function stripeHttp(
  inner: Stripe.HttpClient,
  answers: AnswerBytes,
  signal: AbortSignal,
): Stripe.HttpClient {
  return {
    getClientName: () => inner.getClientName(),
    makeRequest: async (...request) => {
      try {
        if (!signal.aborted) return remembering(await inner.makeRequest(...request), answers)
      } catch (error) {
        if (!signal.aborted) throw error
      }
      throw new Error('The read was aborted.')
    },
  }
}

function remembering(response: Stripe.HttpClientResponse, answers: AnswerBytes): Stripe.HttpClientResponse {
  const message = response.getRawResponse()
  if (!(message instanceof IncomingMessage)) return response
  return {
    getStatusCode: () => response.getStatusCode(),
    getHeaders: () => response.getHeaders(),
    getRawResponse: () => message,
    toStream: (onEnd) => response.toStream(onEnd),
    toJSON: () => parsed(message, answers),
  }
}

async function parsed(message: IncomingMessage, answers: AnswerBytes): Promise<unknown> {
  const bytes = await bytesOf(message).catch((error: unknown) => {
    throw Stripe.HttpClient.makeResponseBodyError(error)
  })
  const body: unknown = JSON.parse(bytes.toString())
  if (typeof body === 'object' && body !== null) answers.set(body, bytes)
  return body
}

/** Whole, or an error: a connection that breaks ends the iteration with one. */
async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}
